from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Tariffs say whether staff approve their orders."""

    dependencies = [("catalog", "0007_coupon_codes")]
    operations = [
        migrations.AddField(
            "tariff",
            "order_approval",
            models.CharField(default="company", help_text="whether staff approve its orders", max_length=7),
        ),
        migrations.AddConstraint(
            "tariff",
            models.CheckConstraint(
                condition=Q(order_approval__in=["company", "always", "never"]), name="tariff_order_approval"
            ),
        ),
    ]
