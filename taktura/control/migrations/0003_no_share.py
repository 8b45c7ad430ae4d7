from django.db import migrations


class Migration(migrations.Migration):
    """The database divides nothing: the share of a flat price is reckoned where it is shown."""

    dependencies = [("control", "0002_flat_prices")]
    operations = [migrations.RemoveField("flatline", "share")]
