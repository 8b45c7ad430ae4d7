"""What suppliers charge by their own invoices, for reconciliation."""

import django.db.models.deletion
import taktura.kit.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0012_reference_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='SupplierInvoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=100)),
                ('folded', models.CharField(max_length=100)),
                ('day', models.DateField()),
                ('first', models.DateField()),
                ('end', models.DateField(help_text='exclusive')),
                ('net', taktura.kit.fields.ExactField()),
                ('currency', models.CharField(max_length=3)),
                ('note', models.TextField(blank=True)),
                ('file_name', models.CharField(blank=True, max_length=200)),
                ('file_type', models.CharField(blank=True, max_length=100)),
                ('content', models.BinaryField(null=True)),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='usage.supplier')),
            ],
            options={
                'indexes': [models.Index(fields=['supplier', 'first'], name='supplier_invoice_first')],
                'constraints': [models.UniqueConstraint(fields=('supplier', 'folded'), name='supplier_invoice_number'), models.CheckConstraint(condition=models.Q(('end__gt', models.F('first'))), name='supplier_invoice_days'), models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', True), ('file_name', ''), ('file_type', '')), models.Q(('content__isnull', False), models.Q(('file_name', ''), _negated=True), models.Q(('file_type', ''), _negated=True)), _connector='OR'), name='supplier_invoice_file')],
            },
        ),
    ]
