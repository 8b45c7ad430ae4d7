"""A register of exchange rates; a record keeps the one by which its amounts are converted."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from taktura.kit.fields import ExactField


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0014_supplier_days"),
        ("contracts", "0011_conversion"),
        ("customers", "0009_rate_days"),
    ]

    operations = [
        migrations.CreateModel(
            "ExchangeRate",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exchange_rates",
                        to="customers.seller",
                    ),
                ),
                ("base", models.CharField(max_length=3)),
                ("quote", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("rate", ExactField()),
                ("source", models.CharField(max_length=100)),
                ("changed_at", models.DateTimeField()),
                ("by", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["seller", "base", "quote", "day"], name="exchange_rate"),
                    models.CheckConstraint(condition=Q(rate__gt=0), name="usage_rate_above_zero"),
                    models.CheckConstraint(condition=~Q(base=F("quote")), name="exchange_rate_of_two"),
                ],
                "indexes": [
                    models.Index(fields=["seller", "quote", "day"], name="exchange_rate_quote"),
                    models.Index(fields=["seller", "-day", "base", "quote"], name="exchange_rate_day"),
                ],
            },
        ),
        migrations.AddField(
            "usagerecord",
            "rate_day",
            models.DateField(help_text="of the rate by which its amounts are converted", null=True),
        ),
        migrations.AddField("usagerecord", "rate_over", ExactField(null=True)),
        migrations.AddField(
            "usagerecord",
            "rate_under",
            ExactField(help_text="amounts × rate_over ÷ rate_under are in the currency rate_to", null=True),
        ),
        migrations.AddField("usagerecord", "rate_to", models.CharField(max_length=3, null=True)),
        migrations.AddIndex(
            "usagerecord",
            models.Index(condition=Q(rate_day__isnull=False), fields=["line", "day"], name="usage_line_foreign"),
        ),
        migrations.AddConstraint(
            "usagerecord",
            models.CheckConstraint(
                condition=Q(rate_day=None, rate_over=None, rate_under=None, rate_to=None)
                | Q(rate_day__isnull=False, rate_over__gt=0, rate_under__gt=0, rate_to__isnull=False),
                name="usage_with_rate",
            ),
        ),
    ]
