from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Bucket',
            fields=[
                ('key', models.BigIntegerField(primary_key=True, serialize=False)),
                ('full_at', models.DateTimeField()),
            ],
        ),
        # Written at every few requests, worth nothing after a crash.
        migrations.RunSQL('ALTER TABLE api_bucket SET UNLOGGED', migrations.RunSQL.noop),
    ]
