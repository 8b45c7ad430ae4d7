"""How old an exchange rate may be is a setting of the seller."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_billing_form")]

    operations = [
        migrations.AddField(
            "seller",
            "rate_days",
            models.PositiveIntegerField(db_default=7, default=7, help_text="how old an exchange rate may be"),
        ),
    ]
