import re

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


def fold(apps, schema_editor):
    """Coupons that differ by case or signs alone stay apart: of those the first is found however it is typed."""
    rows = apps.get_model("catalog", "Coupon").objects.using(schema_editor.connection.alias)
    taken = set()
    for coupon in rows.order_by("id"):
        plain = re.sub(r"[\W_]", "", coupon.key).upper()
        if not plain or (coupon.seller_id, plain) in taken:
            plain = f"{plain[:100]}~{coupon.pk}"
        taken.add((coupon.seller_id, plain))
        rows.filter(pk=coupon.pk).update(folded=plain)


class Migration(migrations.Migration):
    """Coupons have a title, days and a number of uses, and codes of their own."""

    dependencies = [("catalog", "0006_begun")]
    operations = [
        migrations.AddField("coupon", "folded", models.CharField(max_length=150, default=""), preserve_default=False),
        migrations.AddField("coupon", "title", models.CharField(blank=True, max_length=200, default=""),
                            preserve_default=False),
        migrations.AddField("coupon", "first_day", models.DateField(blank=True, null=True)),
        migrations.AddField("coupon", "last_day", models.DateField(blank=True, null=True)),
        migrations.AddField("coupon", "most_uses", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("coupon", "uses", models.PositiveIntegerField(default=0)),
        migrations.AddField("coupon", "off", models.BooleanField(default=False)),
        migrations.RunPython(fold, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AddConstraint(
            "coupon", models.UniqueConstraint(fields=["seller", "folded"], name="coupon_folded")
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(
                condition=Q(first_day__isnull=True) | Q(last_day__isnull=True) | Q(last_day__gte=F("first_day")),
                name="coupon_days",
            ),
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(condition=Q(most_uses__isnull=True) | Q(most_uses__gte=1), name="coupon_most"),
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses")), name="coupon_uses"
            ),
        ),
        migrations.CreateModel(
            name="CouponCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40)),
                ("folded", models.CharField(max_length=40)),
                ("memo", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="codes", to="catalog.coupon"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.seller"
                    ),
                ),
            ],
            options={"ordering": ["coupon", "id"]},
        ),
        migrations.AddConstraint(
            "couponcode", models.UniqueConstraint(fields=["seller", "folded"], name="coupon_code")
        ),
        migrations.AddConstraint(
            "couponcode",
            models.CheckConstraint(condition=Q(used_at=None) | Q(revoked_at=None), name="coupon_code_once"),
        ),
    ]
