"""A contract says whether and by which rate suppliers' amounts in another currency are converted."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("contracts", "0010_transfer")]

    operations = [
        migrations.AddField(
            "contract",
            "conversion",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="by which rate suppliers' amounts in another currency are converted: day, month; empty: they"
                " wait",
                max_length=5,
            ),
        ),
        migrations.AddConstraint(
            "contract",
            models.CheckConstraint(condition=Q(conversion__in=["", "day", "month"]), name="contract_conversion"),
        ),
    ]
