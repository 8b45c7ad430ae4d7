from django.db import migrations, models


class Migration(migrations.Migration):
    """A draft keeps what its tariff said when it was begun, so that what is new since then is not undone unseen."""

    dependencies = [("catalog", "0005_offer_numbers")]
    operations = [
        migrations.AddField(
            "tariffdraft",
            "begun",
            models.JSONField(help_text="what the tariff said when it was begun; none: a new tariff", null=True),
        )
    ]
