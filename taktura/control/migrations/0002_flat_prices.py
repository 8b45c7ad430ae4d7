import django.db.models.deletion
import taktura.kit.fields
from django.db import migrations, models

from taktura.control.flat_prices import adding_up


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_versions_and_drafts'),
        ('contracts', '0003_seller'),
        ('control', '0001_initial'),
        ('customers', '0004_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='FlatLine',
            fields=[
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='flat_line', serialize=False, to='contracts.contractline')),
                ('currency', models.CharField(max_length=3)),
                ('periods', models.PositiveIntegerField()),
                ('above', models.PositiveIntegerField()),
                ('minutes', taktura.kit.fields.ExactField()),
                ('notional', taktura.kit.fields.ExactField()),
                ('fee', taktura.kit.fields.ExactField()),
                ('gain', taktura.kit.fields.ExactField()),
                ('share', taktura.kit.fields.ExactField(null=True)),
                ('as_of', models.DateField()),
                ('article', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.article')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contracts.contract')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.seller')),
                ('tariff', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.tariff')),
            ],
            options={
                'indexes': [models.Index(fields=['seller', 'gain', 'line'], name='flat_line_gain'), models.Index(fields=['seller', 'as_of'], name='flat_line_as_of')],
            },
        ),
        migrations.CreateModel(
            name='FlatMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('periods', models.BigIntegerField()),
                ('above', models.BigIntegerField(help_text='periods whose minutes are worth more than the fee')),
                ('minutes', taktura.kit.fields.ExactField()),
                ('notional', taktura.kit.fields.ExactField()),
                ('fee', taktura.kit.fields.ExactField()),
                ('article', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.article')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.seller')),
                ('tariff', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.tariff')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('seller', 'month', 'currency', 'tariff', 'article'), name='flat_month')],
            },
        ),
        migrations.CreateModel(
            name='FlatPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('start', models.DateField()),
                ('end', models.DateField(help_text='exclusive')),
                ('minutes', taktura.kit.fields.ExactField()),
                ('notional', taktura.kit.fields.ExactField()),
                ('fee', taktura.kit.fields.ExactField()),
                ('over', models.BooleanField(default=False)),
                ('article', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.article')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contracts.contract')),
                ('line', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='flat_periods', to='contracts.contractline')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.seller')),
                ('tariff', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.tariff')),
            ],
            options={
                'ordering': ['line', 'start'],
                'indexes': [models.Index(condition=models.Q(('over', False)), fields=['seller', 'end'], name='flat_period_ends')],
                'constraints': [models.UniqueConstraint(fields=('line', 'start'), name='flat_period_once'), models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='flat_period_days')],
            },
        ),
        migrations.RunSQL(adding_up(), migrations.RunSQL.noop),
    ]
