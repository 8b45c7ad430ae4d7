import django.db.models.deletion
from django.db import migrations, models

COUNTED = """UPDATE catalog_coupon c SET uses = g.n
    FROM (SELECT coupon_id, count(*) AS n FROM contracts_contractcoupon GROUP BY coupon_id) g WHERE g.coupon_id = c.id"""


class Migration(migrations.Migration):
    """By which code a contract got its coupon; coupons know how often they were redeemed so far."""

    dependencies = [("catalog", "0007_coupon_codes"), ("contracts", "0005_notice_requests")]
    operations = [
        migrations.AddField(
            "contractcoupon",
            "code",
            models.OneToOneField(
                help_text="by which it was redeemed", null=True, on_delete=django.db.models.deletion.PROTECT,
                to="catalog.couponcode",
            ),
        ),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
    ]
