from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0004_service_levels")]

    operations = [
        migrations.AddField("runningtime", "started_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE desk_runningtime SET started_at = since", migrations.RunSQL.noop),
        migrations.AlterField("runningtime", "started_at", models.DateTimeField()),
        migrations.AlterField("runningtime", "since", models.DateTimeField(null=True)),
        migrations.AddField("runningtime", "seconds", models.PositiveIntegerField(default=0)),
        migrations.AddField("runningtime", "overnight", models.BooleanField(default=False)),
        migrations.AddConstraint(
            "runningtime",
            models.CheckConstraint(
                condition=models.Q(("since__isnull", True), ("since__gte", models.F("started_at")), _connector="OR"),
                name="timer_goes_on_later",
            ),
        ),
    ]
