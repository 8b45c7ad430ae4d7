from django.db import migrations, models
from django.db.models import Q


def fill(apps, schema_editor):
    """What the services write from now on, for the customers that are there."""
    from taktura.customers.queries import missing_billing_information
    from taktura.customers.services import folded

    Customer = apps.get_model("customers", "Customer")
    database = schema_editor.connection.alias
    rows = Customer.objects.using(database).select_related("seller", "billing_information")
    batch = []
    for customer in rows.iterator(chunk_size=2000):
        customer.folded = folded(customer.name, customer.key)
        customer.complete = not missing_billing_information(customer)
        batch.append(customer)
        if len(batch) == 2000:
            Customer.objects.using(database).bulk_update(batch, ["folded", "complete"])
            batch = []
    Customer.objects.using(database).bulk_update(batch, ["folded", "complete"])


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_unattended_runs")]
    operations = [
        migrations.AddField("customer", "folded", models.CharField(default="", max_length=320)),
        migrations.AddField("customer", "complete", models.BooleanField(default=False)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex("customer", models.Index(fields=["seller", "folded", "id"], name="customer_folded")),
        migrations.AddIndex(
            "customer", models.Index(condition=Q(complete=False), fields=["seller"], name="customer_incomplete")
        ),
    ]
