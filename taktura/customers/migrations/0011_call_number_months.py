"""How long telephone numbers of calls are kept in full is a setting of the seller."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_portal_tickets'),
    ]

    operations = [
        migrations.AddField(
            model_name='seller',
            name='call_number_months',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='how long telephone numbers of calls are kept in the clear; 0: for ever'),
        ),
    ]
