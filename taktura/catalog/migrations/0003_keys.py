"""The register of keys: those that lines have, with everything allowed, and the usual ones of every seller."""

import django.db.models.deletion
from django.db import migrations, models

from taktura.catalog.usual_keys import USUAL

ALL = {"time_based": True, "flat_price": True, "own_notice": True}


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    keys = apps.get_model("catalog", "Key").objects.using(alias)
    lines = apps.get_model("catalog", "TariffLine").objects.using(alias).exclude(key="")
    make = apps.get_model("catalog", "Key")
    rows = lines.order_by("version__valid_from", "id").values_list("version__tariff__seller", "key", "title")
    used = {(seller, key): title for seller, key, title in rows}
    keys.bulk_create([make(seller_id=seller, key=key, title=title, **ALL) for (seller, key), title in used.items()])
    for seller in apps.get_model("customers", "Seller").objects.using(alias).values_list("pk", flat=True):
        new = [fields for fields in USUAL if (seller, fields["key"]) not in used]
        keys.bulk_create([make(seller_id=seller, **fields) for fields in new])


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_versions_and_drafts"), ("customers", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Key",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("titles", models.JSONField(default=dict, help_text="by language; where one is missing, the title")),
                ("source", models.CharField(blank=True, help_text="what sends it, in words", max_length=200)),
                ("time_based", models.BooleanField(default=False, help_text="may be billed by the minute")),
                ("flat_price", models.BooleanField(default=False, help_text="may have a flat price")),
                ("own_notice", models.BooleanField(default=False, help_text="may have its own terms of notice")),
                ("article", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="catalog.article")),
                ("seller", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="usage_keys", to="customers.seller")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=["seller", "key"], name="usage_key")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
