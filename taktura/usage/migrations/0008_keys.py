"""How much came with a key, and when last, is looked up."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("usage", "0007_marks"), ("catalog", "0003_keys")]

    operations = [
        migrations.AddIndex(
            "usagerecord", models.Index(condition=Q(("by_key", True)), fields=["seller", "article", "day"], name="usage_key_day")
        ),
    ]
