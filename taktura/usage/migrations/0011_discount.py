"""A record keeps the discount that was taken off in its amounts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("usage", "0010_customer_folded")]

    operations = [
        migrations.AddField(
            "usagerecord",
            "discount",
            models.CharField(
                blank=True, db_default="", default="", help_text="taken off in its amounts: “10%”, or money", max_length=40
            ),
        ),
    ]
