from django.db import migrations, models


class Migration(migrations.Migration):
    """The list of orders comes from an index of its own."""

    dependencies = [("contracts", "0008_order_page")]
    operations = [migrations.AddIndex("order", models.Index(fields=["seller", "id"], name="order_list"))]
