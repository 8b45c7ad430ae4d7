"""Suppliers that have a ready mapping of Microsoft's new commerce as it was before read days as the present one does.

The end of a license's charge is its last day; where a file writes an hour behind it, it was taken for an instant, and
the last day was missing. A mapping that is not a ready one in all that it says of columns is left as it is: somebody
has thought about it. How dates are written stays where it was chosen by an example. The mapping of before stays among
the versions.
"""

from typing import Any

from django.db import migrations

from taktura.kit.clock import utc_now

DATES_BEFORE = "%m/%d/%Y|%m/%d/%Y %H:%M:%S|ISO"
DATES = "%m/%d/%Y|%m/%d/%Y %H:%M:%S|%m/%d/%Y %H:%M|%m/%d/%Y %I:%M:%S %p|ISO"
LICENSES = {
    "id": "=key(InvoiceNumber, OrderId, first(SubscriptionId), ProductId, SkuId, first(AlternateId), ChargeType,"
    " ChargeStartDate, ChargeEndDate, first(MeterDescription), first(ReservationOrderId))",
    "customer_id": "CustomerId",
    "customer_name": "CustomerName",
    "subscription_id": "=first(SubscriptionId, OrderId)",
    "subscription_name": "=first(SubscriptionDescription, SkuName)",
    "subscription_start": "=first(SubscriptionStartDate)",
    "subscription_end": "=first(SubscriptionEndDate)",
    "product_id": '=ProductId & ":" & SkuId',
    "product_name": "=first(SkuName, ProductName)",
    "unit": "=first(UnitType)",
    "quantity": "=round(first(BillableQuantity, Quantity), 12)",
    "period_start": "ChargeStartDate",
    "period_end": "ChargeEndDate",
    "cost_amount": "Subtotal",
    "currency": "Currency",
}
USAGE = {
    "id": "=key(first(InvoiceNumber), CustomerId, first(EntitlementId), first(SubscriptionId), UsageDate, MeterId,"
    " ResourceURI, first(ProductId), first(SkuId), ChargeType, first(Tags), first(AdditionalInfo))",
    "customer_id": "CustomerId",
    "customer_name": "=first(CustomerName, CustomerCompanyName)",
    "subscription_id": "=first(EntitlementId, SubscriptionId)",
    "subscription_name": "=first(EntitlementDescription, SubscriptionDescription)",
    "product_id": "=first(MeterId, SkuId)",
    "product_name": "=first(MeterName, SkuName, ProductName)",
    "unit": "=first(Unit, UnitType)",
    "quantity": "=round(Quantity, 12)",
    "period_start": "UsageDate",
    "cost_amount": "BillingPreTaxTotal",
    "currency": "BillingCurrency",
}
NOW = (
    (
        LICENSES,
        {
            "subscription_start": "=day(first(SubscriptionStartDate))",
            "subscription_end": "=day(first(SubscriptionEndDate))",
            "period_start": "=day(ChargeStartDate)",
            "period_end": "=day(ChargeEndDate)",
        },
    ),
    (USAGE, {"period_start": "=day(UsageDate)"}),
)


def choose_again(apps: Any, schema_editor: Any) -> None:
    """Give those suppliers the present mapping, as a version of its own."""
    using = schema_editor.connection.alias  # the owner's
    suppliers = apps.get_model("usage", "Supplier").objects.using(using)
    versions = apps.get_model("usage", "MappingVersion").objects.using(using)
    for before, now in NOW:
        for supplier in suppliers.filter(mapping__contains=before):
            supplier.mapping |= now
            if supplier.mapping.get("date_format") == DATES_BEFORE:
                supplier.mapping["date_format"] = DATES
            supplier.save(update_fields=["mapping"])
            last = versions.filter(supplier=supplier).order_by("-number").first()
            versions.create(
                supplier=supplier, number=last.number + 1 if last else 1, mapping=supplier.mapping, since=utc_now(),
                by="Taktura",
            )  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0025_supplier_products'),
    ]

    operations = [migrations.RunPython(choose_again, migrations.RunPython.noop)]
