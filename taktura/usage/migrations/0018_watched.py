"""Folders of suppliers that are watched for their files."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_portal_tickets'),
        ('usage', '0017_numbers'),
    ]

    operations = [
        migrations.CreateModel(
            name='WatchedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=300)),
                ('size', models.BigIntegerField()),
                ('changed', models.BigIntegerField()),
                ('seen_at', models.DateTimeField()),
                ('loaded', models.BooleanField(default=False)),
                ('why', models.TextField(blank=True)),
            ],
        ),
        migrations.AddField(
            model_name='supplier',
            name='folder',
            field=models.CharField(blank=True, db_default='', default='', help_text="below the operator's: watched for its files", max_length=100),
        ),
        migrations.AddConstraint(
            model_name='supplier',
            constraint=models.UniqueConstraint(condition=models.Q(('folder', ''), _negated=True), fields=('folder',), name='supplier_folder'),
        ),
        migrations.AddField(
            model_name='watchedfile',
            name='supplier',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watched_files', to='usage.supplier'),
        ),
        migrations.AddConstraint(
            model_name='watchedfile',
            constraint=models.UniqueConstraint(fields=('supplier', 'name'), name='watched_file'),
        ),
    ]
