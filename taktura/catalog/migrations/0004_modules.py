import django.db.models.deletion
from django.db import migrations, models

# Each text that tariffs of a seller had for their module becomes a module, in the order in which they were used first.
# What cannot stand in an address is left out of its key.
FILL = """
INSERT INTO catalog_module (seller_id, key, title, titles, position)
SELECT seller_id, key, min(module), '{}', row_number() OVER (PARTITION BY seller_id ORDER BY min(first)) - 1
FROM (
    SELECT seller_id, module, min(id) AS first,
        CASE WHEN btrim(regexp_replace(module, '[/[:cntrl:]]', '-', 'g')) IN ('', '.', '..') THEN 'module'
        ELSE btrim(regexp_replace(module, '[/[:cntrl:]]', '-', 'g')) END AS key
    FROM catalog_tariff WHERE module <> '' GROUP BY seller_id, module
) used GROUP BY seller_id, key;

UPDATE catalog_tariff t SET module_link_id = m.id FROM catalog_module m
WHERE m.seller_id = t.seller_id AND t.module <> '' AND m.key =
    CASE WHEN btrim(regexp_replace(t.module, '[/[:cntrl:]]', '-', 'g')) IN ('', '.', '..') THEN 'module'
    ELSE btrim(regexp_replace(t.module, '[/[:cntrl:]]', '-', 'g')) END;

UPDATE catalog_tariff t SET position = p.place
FROM (SELECT id, row_number() OVER (PARTITION BY module_link_id ORDER BY id) - 1 AS place FROM catalog_tariff) p
WHERE p.id = t.id AND t.module_link_id IS NOT NULL;

SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    """A module is more than a text: it has titles and an order."""

    dependencies = [("catalog", "0003_keys"), ("customers", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Module",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("titles", models.JSONField(blank=True, default=dict)),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="modules", to="customers.seller"
                    ),
                ),
            ],
            options={"ordering": ["seller", "position", "id"]},
        ),
        migrations.AddConstraint(
            "module", models.UniqueConstraint(fields=("seller", "key"), name="module_key")
        ),
        migrations.AddField(
            "tariff", "position", models.PositiveIntegerField(default=0, help_text="its place in the module")
        ),
        migrations.AddField(
            "tariff",
            "module_link",
            models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="tariffs",
                to="catalog.module",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField("tariff", "module"),
        migrations.RenameField("tariff", "module_link", "module"),
    ]
