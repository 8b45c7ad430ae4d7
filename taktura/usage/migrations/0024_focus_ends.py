"""Suppliers that have the ready mapping FOCUS as it was before read the end of a charge as the present one does.

The end of a FOCUS charge is exclusive; where a file showed the day alone, it was taken for the last one. A mapping that
is not the ready one in all that it says of columns is left as it is: somebody has thought about it. The mapping of
before stays among the versions.
"""

from typing import Any

from django.db import migrations

from taktura.kit.clock import utc_now

BEFORE, NOW = "ChargePeriodEnd", "=instant(ChargePeriodEnd)"
FOCUS = {
    "id": "=key(BillingAccountId, SubAccountId, first(ResourceId), first(SkuId), first(SkuPriceId),"
    " first(RegionId), first(ServiceName), ChargePeriodStart, ChargePeriodEnd, ChargeCategory, first(ChargeClass),"
    " first(ChargeDescription), first(CommitmentDiscountId))",
    "customer_id": "=first(SubAccountId, BillingAccountId)",
    "customer_name": "=first(SubAccountName, BillingAccountName)",
    "subscription_id": "=first(SubAccountId, BillingAccountId)",
    "subscription_name": "=first(SubAccountName, BillingAccountName)",
    "product_id": "=first(SkuId, ServiceName)",
    "product_name": "=first(ServiceName, ChargeDescription)",
    "unit": "=first(ConsumedUnit, PricingUnit)",
    "quantity": "=round(first(ConsumedQuantity, PricingQuantity), 12)",
    "period_start": "ChargePeriodStart",
    "period_end": BEFORE,
    "cost_amount": "BilledCost",
    "currency": "BillingCurrency",
}


def choose_again(apps: Any, schema_editor: Any) -> None:
    """Give those suppliers the present mapping, as a version of its own."""
    using = schema_editor.connection.alias  # the owner's
    suppliers = apps.get_model("usage", "Supplier").objects.using(using)
    versions = apps.get_model("usage", "MappingVersion").objects.using(using)
    for supplier in suppliers.filter(mapping__contains=FOCUS):
        supplier.mapping["period_end"] = NOW
        supplier.save(update_fields=["mapping"])
        last = versions.filter(supplier=supplier).order_by("-number").first()
        versions.create(
            supplier=supplier, number=last.number + 1 if last else 1, mapping=supplier.mapping, since=utc_now(),
            by="Taktura",
        )  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0023_former_ids'),
    ]

    operations = [migrations.RunPython(choose_again, migrations.RunPython.noop)]
