import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A contract says whose it is, so that lists of a seller's contracts need no customers; its key is the seller's."""

    dependencies = [("contracts", "0002_pauses_apart"), ("customers", "0004_lists")]
    operations = [
        migrations.AddField(
            "contract",
            "seller",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contracts",
                to="customers.seller",
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE contracts_contract SET seller_id = c.seller_id FROM customers_customer c WHERE c.id = customer_id;
            SET CONSTRAINTS ALL IMMEDIATE;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            "contract",
            "seller",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contracts",
                to="customers.seller",
            ),
        ),
        migrations.RemoveConstraint("contract", "contract_key_of_customer"),
        migrations.AddConstraint("contract", models.UniqueConstraint(fields=["seller", "key"], name="contract_key")),
        migrations.RemoveIndex("contract", "contract_next_due"),
        migrations.AddIndex("contract", models.Index(fields=["seller", "next_due", "id"], name="contract_due")),
    ]
