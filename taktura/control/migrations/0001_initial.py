import django.db.models.deletion
import taktura.kit.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contracts', '0003_seller'),
        ('customers', '0004_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertRecipients',
            fields=[
                ('seller', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='alert_recipients', serialize=False, to='customers.seller')),
                ('addresses', models.JSONField(default=list)),
                ('roles', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('forecast', models.BooleanField(default=False)),
                ('start', models.DateField()),
                ('end', models.DateField(help_text='exclusive')),
                ('unit', models.CharField(blank=True, max_length=20)),
                ('value', taktura.kit.fields.ExactField()),
                ('bound', taktura.kit.fields.ExactField()),
                ('foreseen', taktura.kit.fields.ExactField()),
                ('share', taktura.kit.fields.ExactField(null=True)),
                ('tolerance', taktura.kit.fields.ExactField(default=0)),
                ('days', models.PositiveIntegerField()),
                ('begun', models.PositiveIntegerField()),
                ('state', models.CharField(default='open', max_length=10)),
                ('ignored_until', models.DateField(help_text='the day on which it is open again; none: never', null=True)),
                ('raised_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('contract', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='contracts.contract')),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='contracts.contractline')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='customers.seller')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['seller', '-id'], name='alert_list'), models.Index(condition=models.Q(('state__in', ['open', 'ignored'])), fields=['seller', 'state'], name='alert_open')],
                'constraints': [models.UniqueConstraint(fields=('contract', 'line', 'kind', 'start', 'forecast'), name='alert_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('kind__in', ('cap', 'flat', 'included'))), name='alert_kind'), models.CheckConstraint(condition=models.Q(('state__in', ('open', 'ignored', 'reached', 'resolved'))), name='alert_state'), models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='alert_days'), models.CheckConstraint(condition=models.Q(('kind', 'cap'), ('line__isnull', False), _connector='XOR'), name='alert_line')],
            },
        ),
    ]
