from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [("contracts", "0003_seller"), ("usage", "0006_exact_history")]

    operations = [
        migrations.CreateModel(
            name="UsageMark",
            fields=[
                ("contract", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="usage_mark", serialize=False, to="contracts.contract")),
                ("first", models.DateField()),
                ("end", models.DateField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
