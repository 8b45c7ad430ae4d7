"""An index for the list of tickets, by their last change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("desk", "0002_time_waiting")]

    operations = [
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["seller", "changed_at", "id"], name="ticket_by_change"),
        ),
    ]
