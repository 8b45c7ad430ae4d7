import django.db.models.deletion
from django.db import migrations, models

from taktura.usage.days import FILL, counting


class Migration(migrations.Migration):
    """The records of each day are counted by the database as they are written."""

    dependencies = [("customers", "0004_lists"), ("usage", "0004_lists")]
    operations = [
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("records", models.BigIntegerField()),
                ("recorded", models.BigIntegerField(help_text="those that found their contract line")),
                (
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_days",
                        to="customers.seller",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("seller", "day"), name="usage_day")],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(counting(), migrations.RunSQL.noop),
    ]
