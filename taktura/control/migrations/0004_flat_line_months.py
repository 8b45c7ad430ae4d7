import django.db.models.deletion
from django.db import migrations, models

import taktura.kit.fields

# Each flat price over so many months up to the one up to which it was summed; the nights after bring them up to date.
FILL = """
INSERT INTO control_flatline (line_id, months, seller_id, contract_id, article_id, tariff_id, currency, periods, above,
    minutes, notional, fee, gain, as_of)
SELECT p.line_id, w.months, min(p.seller_id), min(p.contract_id), min(p.article_id),
    (array_agg(p.tariff_id ORDER BY p.start DESC))[1], min(p.currency), count(*),
    count(*) FILTER (WHERE p.notional > p.fee), sum(p.minutes), sum(p.notional), sum(p.fee),
    sum(p.fee) - sum(p.notional), m.as_of
FROM control_flatperiod p JOIN (SELECT seller_id, max(month) AS as_of FROM control_flatperiod GROUP BY 1) m
    ON m.seller_id = p.seller_id
CROSS JOIN (VALUES (3), (6), (12), (24)) AS w (months)
WHERE p.month > m.as_of - make_interval(months => w.months) GROUP BY p.line_id, w.months, m.as_of
"""


def _key(to: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=to
    )


class Migration(migrations.Migration):
    """Sums of flat prices over several numbers of months."""

    dependencies = [("control", "0003_no_share")]

    operations = [
        migrations.DeleteModel("FlatLine"),
        migrations.CreateModel(
            name="FlatLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("months", models.PositiveSmallIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("periods", models.PositiveIntegerField()),
                ("above", models.PositiveIntegerField()),
                ("minutes", taktura.kit.fields.ExactField()),
                ("notional", taktura.kit.fields.ExactField()),
                ("fee", taktura.kit.fields.ExactField()),
                ("gain", taktura.kit.fields.ExactField()),
                ("as_of", models.DateField()),
                ("article", _key("catalog.article")),
                ("contract", models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to="contracts.contract"
                )),
                ("line", models.ForeignKey(
                    db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="flat_lines",
                    to="contracts.contractline",
                )),
                ("seller", _key("customers.seller")),
                ("tariff", _key("catalog.tariff")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["seller", "months", "gain", "id"], name="flat_line_gain"),
                    models.Index(fields=["seller", "as_of"], name="flat_line_as_of"),
                ],
                "constraints": [models.UniqueConstraint(fields=("line", "months"), name="flat_line_once")],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
