import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A contract says by which offer number it was ordered."""

    dependencies = [("contracts", "0003_seller"), ("catalog", "0005_offer_numbers")]
    operations = [
        migrations.AddField(
            "contract",
            "offer_number",
            models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="contracts",
                to="catalog.offernumber",
            ),
        )
    ]
