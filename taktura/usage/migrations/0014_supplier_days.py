"""Where the rows of a supplier's days lie, for reconciliation: in the small index that knows the rows of a file."""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0013_supplier_invoices'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='usagerecord',
            name='usage_file_rows',
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['file', 'supplier', 'day', 'end_day'], name='usage_file_rows', pages_per_range=16),
        ),
    ]
