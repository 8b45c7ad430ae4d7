"""Issued documents: copies of all that they show. Nothing here is ever changed or deleted (triggers see to it)."""

from typing import Any

from django.db import models
from django.db.models import Q

from taktura.contracts.models import Contract
from taktura.customers.models import Customer, Seller
from taktura.kit.fields import ExactField

KINDS = ("invoice", "credit_note")


class NumberSeries(models.Model):
    """The numbers of one kind of document (R14.2). A format with `{year}` counts each year from 1."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="series")
    kind = models.CharField(max_length=20)
    format = models.CharField(max_length=60)
    confirmed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "kind"], name="series_kind")]


class NumberCounter(models.Model):
    """Where a series stands in a year (0: one that does not restart). `next` is the number that comes."""

    series = models.ForeignKey(NumberSeries, on_delete=models.CASCADE, related_name="counters")
    year = models.PositiveIntegerField()
    next = models.BigIntegerField(default=1)
    used = models.BigIntegerField(default=0, help_text="the highest number used")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "year"], name="counter_year"),
            models.CheckConstraint(condition=Q(next__gt=models.F("used")), name="counter_ahead"),
        ]


class Document(models.Model):
    """An invoice or a credit note. Amounts are whole minor units of the currency; a credit note's are positive."""

    kind = models.CharField(max_length=20)
    number = models.CharField(max_length=60)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="documents")
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="documents")
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    language = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    digits = models.PositiveSmallIntegerField()
    prices_are = models.CharField(max_length=5)
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    gross = models.BigIntegerField()
    seller_data: Any = models.JSONField(help_text="the seller as printed")
    buyer_data: Any = models.JSONField(help_text="the recipient as printed")
    reason = models.CharField(max_length=200, blank=True)
    hash = models.CharField(max_length=64, help_text="SHA-256 over all that the document shows")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "kind", "number"], name="document_number"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="document_kind"),
            models.CheckConstraint(condition=Q(gross=models.F("net") + models.F("tax")), name="document_gross"),
            models.CheckConstraint(condition=Q(gross__gte=0), name="document_not_negative"),
            models.CheckConstraint(condition=Q(prices_are__in=["net", "gross"]), name="document_prices_are"),
        ]


class DocumentLine(models.Model):
    """A line as printed. `amount` is in the price's basis; `credits` is the line that it takes back."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, db_index=False)
    article = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=400)
    kind = models.CharField(max_length=20)
    unit = models.CharField(max_length=20, blank=True)
    quantity = ExactField()
    unit_price = ExactField(null=True)
    amount = models.BigIntegerField()
    net = models.BigIntegerField()
    vat_category = models.CharField(max_length=2)
    vat_rate = ExactField()
    first = models.DateField(null=True)
    end = models.DateField(null=True)
    credits = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="credited_by")
    note: Any = models.JSONField(default=dict)

    class Meta:
        ordering = ["document", "position"]
        constraints = [models.UniqueConstraint(fields=["document", "position"], name="document_line_position")]


class DocumentTax(models.Model):
    """The sums of one VAT category and rate on a document."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="taxes")
    category = models.CharField(max_length=2)
    rate = ExactField()
    net = models.BigIntegerField()
    tax = models.BigIntegerField()

    class Meta:
        ordering = ["document", "id"]
        constraints = [models.UniqueConstraint(fields=["document", "category", "rate"], name="document_tax_rate")]


class DocumentReference(models.Model):
    """A document that a credit note corrects."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="references")
    corrects = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="corrected_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "corrects"], name="document_reference")]


class DocumentState(models.Model):
    """The read model of lists of documents: what they filter, sort and sum by, and what is still to be paid (`open`).

    Written by `services.states` whenever a document is issued, credited or paid; `verify` proves it. Amounts are whole
    minor units; a credit note's are positive, its `open` is 0 and its state empty.
    """

    document = models.OneToOneField(Document, primary_key=True, on_delete=models.PROTECT, related_name="state")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=20)
    number = models.CharField(max_length=60, db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="document_states")
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="document_states")
    issued_on = models.DateField()
    issued_at = models.DateTimeField(help_text="all that one run issues has one instant")
    due_on = models.DateField(null=True)
    language = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    net = models.BigIntegerField()
    gross = models.BigIntegerField()
    open = models.BigIntegerField()
    payment = models.CharField(max_length=12, blank=True, help_text="open, partly_paid, paid or credited")
    mailed_at = models.DateTimeField(null=True, help_text="when its last mail was put into the outbox")

    class Meta:
        indexes = [
            models.Index(fields=["seller", "issued_on", "document"], name="state_issued"),
            models.Index(fields=["seller", "number"], name="state_number"),
            models.Index(
                fields=["seller", "due_on", "document"],
                name="state_unpaid",
                condition=Q(payment__in=["open", "partly_paid"]),
            ),
            # All that the sums below the list of documents need, in the order in which they are grouped.
            models.Index(fields=["seller", "currency", "kind"], include=["gross", "open"], name="state_sums"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(payment__in=["", "open", "partly_paid", "paid", "credited"]), name="state_payment"
            )
        ]


class ContractBalance(models.Model):
    """The read model of lists of contracts: what is open of each (minor units; below zero the customer has credit).

    Written with the states of documents; `verify` proves it. A contract without documents has no row.
    """

    contract = models.OneToOneField(Contract, primary_key=True, on_delete=models.PROTECT, related_name="balance")
    open = models.BigIntegerField()


class Payment(models.Model):
    """Money received for an invoice (minor units), entered by hand."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="payments")
    amount = models.BigIntegerField()
    paid_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="payment_not_zero")]
