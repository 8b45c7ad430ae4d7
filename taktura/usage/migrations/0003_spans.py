from django.db import migrations, models


class Migration(migrations.Migration):
    """Spans of a line are found by their end, without its other records."""

    dependencies = [("usage", "0002_marks_and_history")]
    operations = [
        migrations.AddIndex(
            model_name="usagerecord",
            index=models.Index(fields=["line", "end_day"], name="usage_line_span", condition=models.Q(is_span=True)),
        ),
    ]
