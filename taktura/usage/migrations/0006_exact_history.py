from django.db import migrations, models

import taktura.kit.exact


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0005_days'),
    ]

    operations = [
        migrations.AlterField(
            model_name='usagehistory',
            name='record',
            field=models.JSONField(decoder=taktura.kit.exact.ExactDecoder),
        ),
    ]
