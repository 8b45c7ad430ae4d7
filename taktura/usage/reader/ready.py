"""Ready mappings of known suppliers, by the headings that their own documentation names (see docs/usage.md).

None gives rows an id of their own: a row is known by a `key` of what it is about, not by what it costs, so that a
corrected export is reported as such and not billed besides. Equal ones in a file are told apart by their number.

Those of telephone systems keep who called whom (`caller`, `called`), for lists of calls; they are masked after the time
that the company says.
"""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from taktura.usage.reader.mapping import Mapping

# FOCUS 1.0, 1.1 and 1.2: the columns that are the same in all three.
_FOCUS: dict[str, Any] = {
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
    "period_end": "=instant(ChargePeriodEnd)",  # exclusive, also where a spreadsheet shows the day alone
    "cost_amount": "BilledCost",
    "currency": "BillingCurrency",
    "null_texts": ["NULL", "null"],
    "number_repeats": True,
}

# Cost exports of Azure: actual and amortized cost, of an Enterprise Agreement or a Microsoft Customer Agreement.
_AZURE: dict[str, Any] = {
    "id": "=key(first(SubscriptionId), Date, first(ResourceId), first(MeterId), first(ChargeType),"
    " first(ReservationId), first(benefitId), first(ProductOrderId), first(Term), first(Frequency),"
    " first(PricingModel))",
    "customer_id": "=first(customerTenantId, BillingAccountId)",
    "customer_name": "=first(customerName, BillingAccountName)",
    "subscription_id": "=first(SubscriptionId, BillingAccountId)",
    "subscription_name": "=first(SubscriptionName, BillingAccountName)",
    "product_id": "MeterId",
    "product_name": "=first(ProductName, Product, MeterName)",
    "unit": "UnitOfMeasure",
    "quantity": "=round(Quantity, 12)",
    "period_start": "Date",
    "cost_amount": "=first(CostInBillingCurrency, Cost)",
    "currency": "=first(BillingCurrency, BillingCurrencyCode)",
    "date_format": "%m/%d/%Y|ISO",
    "number_repeats": True,
}

# As Microsoft writes days, and as Excel saves them again.
_NCE_DATES = "%m/%d/%Y|%m/%d/%Y %H:%M:%S|%m/%d/%Y %H:%M|%m/%d/%Y %I:%M:%S %p|ISO"

# Reconciliation of Microsoft's new commerce: what was bought, by license (and Azure plans in all).
_NCE_LICENSES: dict[str, Any] = {
    "id": "=key(InvoiceNumber, OrderId, first(SubscriptionId), ProductId, SkuId, first(AlternateId), ChargeType,"
    " ChargeStartDate, ChargeEndDate, first(MeterDescription), first(ReservationOrderId))",
    "customer_id": "CustomerId",
    "customer_name": "CustomerName",
    "subscription_id": "=first(SubscriptionId, OrderId)",
    "subscription_name": "=first(SubscriptionDescription, SkuName)",
    "subscription_start": "=day(first(SubscriptionStartDate))",
    "subscription_end": "=day(first(SubscriptionEndDate))",
    "product_id": '=ProductId & ":" & SkuId',
    "product_name": "=first(SkuName, ProductName)",
    "unit": "=first(UnitType)",
    "quantity": "=round(first(BillableQuantity, Quantity), 12)",
    "period_start": "=day(ChargeStartDate)",  # days, though they are written with an hour: the end is the last one
    "period_end": "=day(ChargeEndDate)",
    "cost_amount": "Subtotal",
    "currency": "Currency",
    "date_format": _NCE_DATES,
    "number_repeats": True,
}

# Daily rated usage of Microsoft's new commerce: Azure by day and meter.
_NCE_USAGE: dict[str, Any] = {
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
    "period_start": "=day(UsageDate)",
    "cost_amount": "BillingPreTaxTotal",
    "currency": "BillingCurrency",
    "date_format": _NCE_DATES,
    "number_repeats": True,
}

# Asterisk's cdr_csv (Master.csv): no heading line; the last two where they are switched on.
_ASTERISK: dict[str, Any] = {
    "headings": [
        "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
        "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    ],
    "subscription_id": "=first(accountcode, src)",
    "period_start": "=first(answer, start)",
    "seconds": "billsec",
    "call_id": "=first(uniqueid, key(channel, start))",
    "attributes": {"caller": "src", "called": "dst"},
    "skip_rows": ['disposition <> "ANSWERED"', "billsec = 0"],
}  # fmt: skip

# FreeSWITCH's mod_cdr_csv with the template “example”: no heading line.
_FREESWITCH: dict[str, Any] = {
    "headings": [
        "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp",
        "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode", "read_codec",
        "write_codec",
    ],
    "subscription_id": "=first(accountcode, caller_id_number)",
    "period_start": "=first(answer_stamp, start_stamp)",
    "seconds": "billsec",
    "call_id": "uuid",
    "attributes": {"caller": "caller_id_number", "called": "destination_number"},
    "skip_rows": ["billsec = 0"],
}  # fmt: skip

# STARFACE's two exports: connections (of a user or a group), and lines. Durations are worked out from the times.
_STARFACE: dict[str, Any] = {
    "subscription_id": '=first(cdraccountid, if(incoming = "true", callednumber, callernumber), linename)',
    "subscription_name": '=first(login, if(incoming = "true", calledlogin, callerlogin))',
    "period_start": "linktime",
    "seconds": "=seconds(linktime, first(callresulttime, hanguptime))",
    "call_id": "callid",
    "attributes": {"caller": "=first(callernumber, callercallerid)", "called": "=first(callednumber, calledcallerid)"},
    "date_format": "%d.%m.%Y %H:%M:%S|ISO",
    "skip_rows": ['callresult <> "CONNECTED"', 'linktime = ""'],
}

# 3CX's CDR output with all its fields: no heading line, times in UTC.
_3CX: dict[str, Any] = {
    "headings": [
        "historyid", "callid", "duration", "time-start", "time-answered", "time-end", "reason-terminated", "from-no",
        "to-no", "from-dn", "to-dn", "dial-no", "reason-changed", "final-number", "final-dn", "bill-code", "bill-rate",
        "bill-cost", "bill-name", "chain", "from-type", "to-type", "final-type", "from-dispname", "to-dispname",
        "final-dispname", "missed-queue-calls",
    ],
    "subscription_id": "=first([bill-code], [from-dn], [from-no])",
    "subscription_name": "=first([from-dispname])",
    "period_start": "time-answered",
    "seconds": "=seconds([time-answered], [time-end])",
    "call_id": "=first(callid, historyid)",
    "attributes": {"caller": "from-no", "called": "=first([dial-no], [to-no])"},
    "date_format": "%Y/%m/%d %H:%M:%S|%Y.%m.%d %H:%M:%S|ISO",
    "skip_rows": ['[time-answered] = ""'],
}  # fmt: skip

READY: dict[str, dict[str, Any]] = {
    "focus": _FOCUS,
    "azure": _AZURE,
    "nce_licenses": _NCE_LICENSES,
    "nce_usage": _NCE_USAGE,
    "asterisk": _ASTERISK,
    "freeswitch": _FREESWITCH,
    "starface": _STARFACE,
    "3cx": _3CX,
    "generic": {},
}
IN_UTC = ("focus", "3cx")  # those whose files write times in UTC, which is their suppliers' time zone


WRITTEN = ("decimal", "date_format")  # what a file says of them that a spreadsheet has saved again


def named(mapping: AbstractMapping[str, Any]) -> str:
    """The name of the ready mapping that a mapping is, however numbers and dates are written; empty for none."""
    for name, fields in READY.items():
        if fields and all(mapping.get(key) == value for key, value in fields.items() if key not in WRITTEN):
            return name
    return ""


def fitting(headings: list[str]) -> str | None:
    """The ready mapping whose needed headings a file has, the one that knows most of them; None where none fits.

    Mappings of files without headings are not tried: nothing would tell them apart.
    """
    known = {heading.casefold() for heading in headings}
    best, most = None, 0
    for name, fields in READY.items():
        if not fields or "headings" in fields:
            continue
        mapping = Mapping.from_dict(fields)
        if all(any(h.casefold() in known for h in choice) for choice in mapping.wanted("subscription_id")):
            count = len({heading.casefold() for heading in mapping.names()} & known)
            best, most = (name, count) if count > most else (best, most)
    return best
