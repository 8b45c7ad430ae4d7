"""Customers may write tickets in the portal, unless the company takes that away."""

from typing import Any

from django.db import migrations


def allow(apps: Any, schema_editor: Any) -> None:
    """Every company's customers."""
    for seller in apps.get_model("customers", "Seller").objects.using(schema_editor.connection.alias).all():
        if "tickets" not in seller.portal_allows:
            seller.portal_allows = ["tickets", *seller.portal_allows]
            seller.save(update_fields=["portal_allows"])


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_rate_days")]

    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
