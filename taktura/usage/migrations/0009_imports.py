"""What became of imports line by line, what they were read by, undoing them; mappings are kept as versions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0008_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='usagefile',
            name='mapping',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='usagefile',
            name='merged',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usagefile',
            name='skipped',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usagefile',
            name='undone_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='MappingVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('mapping', models.JSONField()),
                ('since', models.DateTimeField()),
                ('by', models.CharField(max_length=200)),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mapping_versions', to='usage.supplier')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('supplier', 'number'), name='mapping_version')],
            },
        ),
        migrations.RunSQL(
            """INSERT INTO usage_mappingversion (supplier_id, number, mapping, since, by)
               SELECT id, 1, mapping, now(), '' FROM usage_supplier""",
            migrations.RunSQL.noop,
        ),
    ]
