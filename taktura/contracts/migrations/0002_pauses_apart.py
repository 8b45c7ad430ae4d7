from django.db import migrations


class Migration(migrations.Migration):
    """Two pauses of one contract never overlap. The embedded server has no btree_gist, hence the int8range."""

    dependencies = [("contracts", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE contracts_pause ADD CONSTRAINT pauses_apart EXCLUDE USING gist (
                int8range(contract_id, contract_id, '[]') WITH &&, daterange(start, "end") WITH &&
            );
            """,
            "ALTER TABLE contracts_pause DROP CONSTRAINT pauses_apart;",
        )
    ]
