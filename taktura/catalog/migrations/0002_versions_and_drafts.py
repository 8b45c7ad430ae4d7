"""What is agreed at signing (anchor, notice, trial) and the tick move to the versions; drafts of tariffs."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

import taktura.catalog.models
import taktura.kit.fields


def into_versions(apps, schema_editor):
    tariffs = apps.get_model("catalog", "Tariff")
    versions = apps.get_model("catalog", "TariffVersion")
    alias = schema_editor.connection.alias
    of_tariff = tariffs.objects.using(alias).filter(pk=OuterRef("tariff_id"))
    versions.objects.using(alias).update(
        **{name: Subquery(of_tariff.values(name)[:1]) for name in ("anchor", "notice", "trial")}
    )
    lift_ticks(apps.get_model("catalog", "TariffLine").objects.using(alias))


def lift_ticks(lines):
    """The tick of the tariff stood in each of its lines: where all lines of a version agree it is the version's."""
    found = {}
    for line in lines.select_related("version").order_by("version_id"):
        found.setdefault(line.version_id, []).append(line)
    for rows in found.values():
        version = rows[0].version
        for name in ("tick", "tick_scope"):
            values = {row.terms.get(name) for row in rows}
            if len(values) == 1 and None not in values:
                setattr(version, name, values.pop())
                for row in rows:
                    del row.terms[name]
        version.save(update_fields=["tick", "tick_scope"], using=lines.db)
    lines.bulk_update([row for rows in found.values() for row in rows], ["terms"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField("tariffversion", "titles", models.JSONField(default=dict, help_text="by language; where one is missing, the title")),
        migrations.AddField("tariffversion", "anchor", models.CharField(max_length=10, default="contract")),
        migrations.AddField("tariffversion", "notice", models.JSONField(default=taktura.catalog.models.standard_notice)),
        migrations.AddField("tariffversion", "trial", taktura.kit.fields.SpanField(max_length=20, null=True, blank=True)),
        migrations.AddField("tariffversion", "tick", models.CharField(max_length=20, blank=True, default="", help_text="of lines that have none; empty: minute"), preserve_default=False),
        migrations.AddField("tariffversion", "tick_scope", models.CharField(max_length=6, blank=True, default=""), preserve_default=False),
        migrations.RunPython(into_versions, migrations.RunPython.noop),
        migrations.RemoveField("tariff", "anchor"),
        migrations.RemoveField("tariff", "notice"),
        migrations.RemoveField("tariff", "trial"),
        migrations.CreateModel(
            name="TariffDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("fields", models.JSONField()),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_by", models.CharField(max_length=200)),
                ("changed_at", models.DateTimeField()),
                ("seller", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.seller")),
                ("tariff", models.OneToOneField(help_text="none: a new tariff", null=True, on_delete=django.db.models.deletion.CASCADE, related_name="draft", to="catalog.tariff")),
                ("version", models.ForeignKey(help_text="what it was begun from", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="catalog.tariffversion")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(condition=models.Q(("tariff__isnull", True)), fields=("seller", "key"), name="tariff_draft_key")],
            },
        ),
    ]
