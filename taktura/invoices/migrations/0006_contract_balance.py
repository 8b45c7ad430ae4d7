import django.db.models.deletion
from django.db import migrations, models

FILL = """
INSERT INTO invoices_contractbalance (contract_id, open)
SELECT s.contract_id, sum(CASE s.kind WHEN 'invoice' THEN s.gross ELSE -s.gross END - p.paid)
FROM invoices_documentstate s
CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS paid FROM invoices_payment WHERE document_id = s.document_id) p
WHERE s.contract_id IS NOT NULL GROUP BY s.contract_id
"""


class Migration(migrations.Migration):
    """What is open of each contract, filled for those there are."""

    dependencies = [("contracts", "0003_seller"), ("invoices", "0005_state_mailed_at")]
    operations = [
        migrations.CreateModel(
            name="ContractBalance",
            fields=[
                (
                    "contract",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="contracts.contract",
                    ),
                ),
                ("open", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
