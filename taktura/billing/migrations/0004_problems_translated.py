from django.db import migrations, models


class Migration(migrations.Migration):
    """What a run left out is told in the reader's language: its message and what fills it."""

    dependencies = [("billing", "0003_rate_day")]
    operations = [
        migrations.AlterField("runproblem", "text", models.TextField(help_text="in English")),
        migrations.AddField(
            "runproblem",
            "message",
            models.TextField(blank=True, default="", help_text="the same with its places, to be translated"),
            preserve_default=False,
        ),
        migrations.AddField("runproblem", "values", models.JSONField(default=dict)),
    ]
