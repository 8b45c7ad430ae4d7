"""Supplier subscriptions know their customer's reference as it is compared, so that customers with services are found."""

from typing import Any

from django.db import migrations, models

AT_ONCE = 2000


def fold_references(apps: Any, schema_editor: Any) -> None:
    """Fill the column of what is there already."""
    subscriptions = apps.get_model("usage", "SupplierSubscription").objects.using(schema_editor.connection.alias)
    some = []
    for row in subscriptions.exclude(customer_reference="").only("customer_reference").iterator(AT_ONCE):
        row.customer_folded = row.customer_reference.strip().casefold()
        some.append(row)
        if len(some) == AT_ONCE:
            subscriptions.bulk_update(some, ["customer_folded"])
            some = []
    subscriptions.bulk_update(some, ["customer_folded"])


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0009_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='suppliersubscription',
            name='customer_folded',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.RunPython(fold_references, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='suppliersubscription',
            index=models.Index(fields=['supplier', 'customer_folded'], name='supplier_subscription_of'),
        ),
    ]
