from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_call_number_months")]

    operations = [
        # Whoever has access already saw and did everything.
        migrations.AddField(
            model_name="portalaccess",
            name="role",
            field=models.CharField(default="administrator", max_length=13),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="portalaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ("administrator", "user"))), name="portal_access_role"
            ),
        ),
    ]
