"""Lists of worked time by day, and what waits for approval."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two indexes."""

    dependencies = [("desk", "0001_initial")]

    operations = [
        migrations.AddIndex("timeentry", models.Index(fields=["worked_on", "id"], name="time_by_day")),
        migrations.AddIndex(
            "timeentry",
            models.Index(
                condition=models.Q(("status", "submitted")),
                fields=["customer", "ticket", "worked_on", "id"],
                name="time_waiting",
            ),
        ),
    ]
