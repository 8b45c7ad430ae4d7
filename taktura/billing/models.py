"""Charges (the ledger of R5), billing runs, sales items."""

from typing import Any

from django.db import models
from django.db.models import Q

from taktura.catalog.models import Tariff
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.desk.models import Allowance, Ticket, TimeEntry
from taktura.invoices.models import Document, DocumentLine
from taktura.kit.fields import ExactField
from taktura.usage.models import SupplierSubscription


class Charge(models.Model):
    """A rated amount on an issued document, with its proof. Never changed or deleted (a trigger sees to it).

    The columns are those of the core's `Charge`; `rate_*` is its cost function, set for charges by days.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="charges")
    line = models.ForeignKey(ContractLine, null=True, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=20)
    key_start = models.DateField()
    phase_start = models.DateField(null=True)
    keyed_by_vat = models.BooleanField(default=False)
    vat_category = models.CharField(max_length=2)
    vat_rate = ExactField()
    first = models.DateField()
    end = models.DateField()
    amount = models.BigIntegerField()
    quantity = ExactField()
    unit_price = ExactField(null=True)
    rate_start = models.DateField(null=True)
    rate_end = models.DateField(null=True)
    rate_price = models.TextField(null=True)
    rate_quantity = ExactField(null=True)
    rate_spans = models.PositiveIntegerField(default=1)
    rate_span = models.CharField(max_length=20, null=True)
    rate_day = models.PositiveSmallIntegerField(null=True)
    credits = models.BigIntegerField(null=True, help_text="the charge that this one takes back")
    by_hand = models.BooleanField(default=False)
    rebill = models.BooleanField(default=False)
    shares: Any = models.JSONField(null=True)
    proof: Any = models.JSONField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="charges")
    document_line = models.OneToOneField(DocumentLine, on_delete=models.PROTECT, related_name="charge")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["contract", "key_start"], name="charge_contract_key")]
        constraints = [models.CheckConstraint(condition=Q(end__gt=models.F("first")), name="charge_span")]


class BillingRun(models.Model):
    """One billing run: on which day, how far, with what outcome."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE)
    on = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=200)
    contracts = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)


class RunProblem(models.Model):
    """A contract (or customer) that a run left out, and why."""

    run = models.ForeignKey(BillingRun, on_delete=models.CASCADE, related_name="problems")
    contract = models.ForeignKey(Contract, null=True, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE)
    code = models.CharField(max_length=60)
    text = models.TextField(help_text="in English")
    message = models.TextField(blank=True, help_text="the same with its places, to be translated")
    values: Any = models.JSONField(default=dict)


class SalesItem(models.Model):
    """A one-off sale outside a contract; billed once it stands on a document."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="sales_items")
    key = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    sold_on = models.DateField()
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="sales_items")


class SalesItemLine(models.Model):
    """A line of a sale."""

    item = models.ForeignKey(SalesItem, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    article = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=200)
    quantity = ExactField()
    price = ExactField()
    discount = ExactField(default=0)

    class Meta:
        ordering = ["item", "position"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0, price__gte=0), name="sales_line_positive"),
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=100), name="sales_line_discount"),
        ]


class ServicePricing(models.Model):
    """By which tariff a seller sells services in use that no contract carries. `nightly`: each month that is over is
    sold by itself."""

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="service_pricing")
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="+")
    nightly = models.BooleanField(default=False)


class ServiceSale(models.Model):
    """That a supplier subscription without a contract line is to be sold for a month, once.

    `quantity` is that of the day on which the row was made; none: the supplier names none. Without an `item` it waits,
    or was left out.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="service_sales")
    subscription = models.ForeignKey(SupplierSubscription, on_delete=models.PROTECT, related_name="sales")
    month = models.DateField(help_text="its first day")
    quantity = ExactField(null=True)
    item = models.ForeignKey(SalesItem, null=True, on_delete=models.PROTECT, related_name="services")
    left_out = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "month"], name="service_sale_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="service_sale_month"),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gt=0), name="service_sale_quantity"
            ),
            models.CheckConstraint(condition=Q(item__isnull=True) | Q(left_out=False), name="service_sale_state"),
        ]
        indexes = [
            models.Index(
                fields=["customer", "month"], name="service_sale_waiting", condition=Q(item=None, left_out=False)
            )
        ]


class TimeCharge(models.Model):
    """Worked time on an issued document (R18): of a ticket at one price of an hour, or of work without a ticket. Never
    changed or deleted (a trigger sees to it).

    `minutes` are those to be paid: rounded, less included hours. `price` is exact, in the price's basis.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.PROTECT, related_name="charges")
    price = models.TextField()
    vat_category = models.CharField(max_length=2)
    vat_rate = ExactField()
    minutes = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    first = models.DateField()
    end = models.DateField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="time_charges")
    document_line = models.OneToOneField(DocumentLine, on_delete=models.PROTECT, related_name="time_charge")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=models.F("first")), name="time_charge_span"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="time_charge_amount"),
        ]


class BilledTime(models.Model):
    """That worked time is billed, once: `minutes` are what it added to the rounded sum of its ticket."""

    entry = models.OneToOneField(TimeEntry, on_delete=models.PROTECT, related_name="billed")
    charge = models.ForeignKey(TimeCharge, on_delete=models.PROTECT, related_name="works")
    minutes = models.PositiveIntegerField()


class TimeDraw(models.Model):
    """Billed minutes that included hours bear; `month` counts from 0, that of the allowance's start."""

    charge = models.ForeignKey(TimeCharge, on_delete=models.PROTECT, related_name="draws")
    entry = models.ForeignKey(TimeEntry, on_delete=models.PROTECT, related_name="draws")
    allowance = models.ForeignKey(Allowance, on_delete=models.PROTECT, related_name="draws")
    month = models.PositiveIntegerField()
    minutes = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "allowance"], name="time_draw_once"),
            models.CheckConstraint(condition=Q(minutes__gte=1), name="time_draw_minutes"),
        ]
