import re

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone


def into_rows(apps, schema_editor):
    """A tariff's one number becomes a row. It pins the version that holds now: by it contracts were signed so far."""
    owner = schema_editor.connection.alias
    tariffs, versions, numbers = (
        apps.get_model("catalog", name).objects.using(owner) for name in ("Tariff", "TariffVersion", "OfferNumber")
    )
    now, taken = timezone.now(), set()
    for tariff in tariffs.exclude(offer_number=None).exclude(offer_number="").order_by("id"):
        known = versions.filter(tariff=tariff).order_by("valid_from", "id")
        version = known.filter(valid_from__lte=now.date()).last() or known.first()
        folded = re.sub(r"[\W_]", "", tariff.offer_number).upper()[:40] or tariff.offer_number
        if version is None or folded in taken:
            continue
        taken.add(folded)
        numbers.create(
            tariff=tariff, version=version, number=tariff.offer_number, folded=folded, made_at=now
        )


class Migration(migrations.Migration):
    """A tariff has as many offer numbers as are given out; each can expire and be revoked."""

    dependencies = [("catalog", "0004_modules")]
    operations = [
        migrations.CreateModel(
            name="OfferNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40)),
                ("folded", models.CharField(max_length=40, unique=True)),
                ("memo", models.CharField(blank=True, max_length=200)),
                ("made_at", models.DateTimeField()),
                ("last_day", models.DateField(blank=True, null=True)),
                ("most_uses", models.PositiveIntegerField(blank=True, null=True)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tariff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="offer_numbers", to="catalog.tariff"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="offer_numbers",
                        to="catalog.tariffversion",
                    ),
                ),
            ],
            options={"ordering": ["tariff", "id"]},
        ),
        migrations.AddConstraint(
            "offernumber",
            models.CheckConstraint(condition=Q(most_uses__isnull=True) | Q(most_uses__gte=1), name="offer_number_most"),
        ),
        migrations.AddConstraint(
            "offernumber",
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses")), name="offer_number_uses"
            ),
        ),
        migrations.RunPython(into_rows, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("tariff", "offer_number"),
    ]
