"""What usage records point to is checked once for each statement, not for each row."""

import django.db.models.deletion
from django.db import migrations, models

from taktura.kit.foreign_keys import checked_once

KEYS = {
    "seller_id": "customers_seller",
    "contract_id": "contracts_contract",
    "line_id": "contracts_contractline",
    "supplier_id": "usage_supplier",
    "file_id": "usage_usagefile",
}


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0011_conversion'),
        ('customers', '0013_creditor_identifier'),
        ('usage', '0019_kept_and_refused_files'),
    ]

    operations = [
        migrations.AlterField(
            model_name='usagerecord',
            name='contract',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.contract'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='file',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='usage.usagefile'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='line',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.contractline'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='seller',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='usage_records', to='customers.seller'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='supplier',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='usage.supplier'),
        ),
        migrations.RunSQL(checked_once("usage_usagerecord", KEYS), migrations.RunSQL.noop),
    ]
