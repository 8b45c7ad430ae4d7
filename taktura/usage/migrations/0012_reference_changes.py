"""What imports change of suppliers' customers and subscriptions is kept."""

import django.db.models.deletion
from django.db import migrations, models

import taktura.kit.exact


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0011_discount'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReferenceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('folded', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('by', models.CharField(max_length=200)),
                ('made', models.BooleanField(default=False)),
                ('changes', models.JSONField(decoder=taktura.kit.exact.ExactDecoder)),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reference_changes', to='usage.usagefile')),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reference_changes', to='usage.supplier')),
            ],
            options={
                'indexes': [models.Index(fields=['supplier', 'kind', 'folded', 'id'], name='reference_change_of')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ('customer', 'subscription'))), name='reference_change_kind')],
            },
        ),
    ]
