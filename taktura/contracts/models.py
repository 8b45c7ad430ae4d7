"""Contracts, their lines and the timelines that are only appended to."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from taktura.catalog.models import Article, Coupon, CouponCode, OfferNumber, Tariff, TariffLine, TariffVersion
from taktura.customers.models import Customer, Seller
from taktura.kit.fields import ExactField


class Contract(models.Model):
    """An agreement. An `end` is exclusive. The last four columns are the read model of billing (house.md, “A run”).

    `seller` is that of the customer, kept so that a seller's contracts are found without their customers.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="contracts", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contracts")
    key = models.CharField(max_length=100)
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="contracts")
    offer_number = models.ForeignKey(
        OfferNumber, on_delete=models.PROTECT, null=True, blank=True, related_name="contracts"
    )
    currency = models.CharField(max_length=3)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    term_end = models.DateField(null=True, blank=True, help_text="the end that stands from the beginning (R15.3)")
    billed_until = models.DateField(null=True, blank=True)
    trial_end = models.DateField(null=True, blank=True)
    anchor = models.CharField(max_length=10)
    terms: Any = models.JSONField(default=str)
    terms_from = models.DateField(help_text="the day from which its terms count")
    notice_received = models.DateField(null=True, blank=True)
    signed_at = models.DateTimeField()
    next_due = models.DateField(null=True, blank=True)
    changed_from = models.DateField(null=True, blank=True)
    settled_until = models.DateField(null=True, blank=True)
    threshold = ExactField(null=True, blank=True)
    conversion = models.CharField(
        max_length=5, blank=True, default="", db_default="",
        help_text="by which rate suppliers' amounts in another currency are converted: day, month; empty: they wait",
    )  # fmt: skip
    transferred_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="transfers",
        help_text="the contract of another customer that it goes on with",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="contract_key"),
            models.UniqueConstraint(
                fields=["transferred_from"],
                name="contract_transferred_once",
                condition=Q(transferred_from__isnull=False),
            ),
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="contract_end"),
            models.CheckConstraint(condition=Q(conversion__in=["", "day", "month"]), name="contract_conversion"),
        ]
        indexes = [
            models.Index(fields=["seller", "next_due", "id"], name="contract_due"),
            models.Index(fields=["changed_from"], name="contract_changed", condition=Q(changed_from__isnull=False)),
        ]


class ContractPhase(models.Model):
    """A span of a contract under one tariff, and where its periods are counted from."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="phases")
    start = models.DateField()
    end = models.DateField(null=True)
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT)
    anchor_kind = models.CharField(max_length=10)
    anchor_origin = models.DateField()
    anchor_day = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["contract", "start"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "start"], name="phase_start"),
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="phase_end"),
        ]


class PhaseVersion(models.Model):
    """From which day a tariff's version holds for a phase: fixed when written (settlement.md 5)."""

    phase = models.ForeignKey(ContractPhase, on_delete=models.CASCADE, related_name="versions")
    version = models.ForeignKey(TariffVersion, on_delete=models.PROTECT)
    effective_from = models.DateField()

    class Meta:
        ordering = ["phase", "effective_from", "id"]


class ContractLine(models.Model):
    """What is booked of an article. Its quantity and its terms have timelines of their own."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="lines")
    article = models.ForeignKey(Article, on_delete=models.PROTECT)
    name = models.CharField(max_length=100, blank=True)
    charge = models.CharField(max_length=10)
    booking = models.CharField(max_length=10)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    price = ExactField(null=True)
    discount = ExactField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    minimum_quantity = ExactField(null=True)
    memo = models.TextField(blank=True)
    kept_from = models.DateField(null=True)
    ended_by_notice = models.BooleanField(default=False)
    notice_received = models.DateField(null=True, help_text="of this line alone")
    agreed_end = models.DateField(null=True, help_text="the end that it had before notice was given")
    order_coupon = models.BigIntegerField(null=True)
    transferred_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, db_index=False, related_name="+",
        help_text="the line of the contract of another customer that it goes on with",
    )  # fmt: skip
    terms_from = models.DateField(null=True, help_text="from where its own terms count, if not from its start")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="line_end"),
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=100), name="line_discount"),
        ]


class LineStretch(models.Model):
    """From which day a tariff's line says what a contract line costs."""

    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="stretches")
    tariff_line = models.ForeignKey(TariffLine, on_delete=models.PROTECT)
    effective_from = models.DateField()

    class Meta:
        ordering = ["line", "effective_from", "id"]


class LineQuantity(models.Model):
    """A quantity from a date on; of several for one date the last written holds. Only appended to: a change that is
    taken back keeps its row and holds no more."""

    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="quantities")
    start = models.DateField()
    quantity = ExactField()
    memo = models.TextField(blank=True)
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["line", "start", "id"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="quantity_not_negative")]


class LineConditions(models.Model):
    """A contract's own conditions of a line from a date on, all that hold then (R7.5); of several for one date the last
    written hold. Only appended to. What holds from the beginning stands in the line."""

    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="conditions")
    start = models.DateField()
    price = ExactField(null=True)
    discount = ExactField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    minimum_quantity = ExactField(null=True)
    memo = models.TextField(blank=True)

    class Meta:
        ordering = ["line", "start", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=100), name="line_conditions_discount"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gte=0), name="line_conditions_price"),
            models.CheckConstraint(
                condition=Q(minimum_quantity__isnull=True) | Q(minimum_quantity__gte=0), name="line_conditions_minimum"
            ),
        ]


class Pause(models.Model):
    """A span without charges (R16.2). Two pauses of one contract never overlap (an exclusion constraint)."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="pauses")
    start = models.DateField()
    end = models.DateField(null=True)

    class Meta:
        ordering = ["contract", "start"]
        constraints = [models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="pause_end")]


class ContractCoupon(models.Model):
    """A coupon given to a contract; `first` and `end` bound the periods in which it counts, fixed when written."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="coupons")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT)
    code = models.OneToOneField(CouponCode, on_delete=models.PROTECT, null=True, help_text="by which it was redeemed")
    given = models.DateField()
    first = models.DateField()
    end = models.DateField(null=True)

    class Meta:
        ordering = ["contract", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("first")), name="coupon_end")
        ]


class NoticeRequest(models.Model):
    """A notice as it was sent from the page for everybody, without sign-in (R15.4). What was sent never changes.

    `contract`: the one that it was matched with beyond doubt. `state`: `given` (notice was given at once), `open`
    (somebody must look at it) or `closed` (somebody has, `closed_by`).
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="notice_requests")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, related_name="notice_requests")
    name = models.CharField(max_length=200)
    number = models.CharField(max_length=100, blank=True)
    email = models.EmailField()
    kind = models.CharField(max_length=15)
    reason = models.TextField(blank=True)
    wish = models.DateField(null=True)
    language = models.CharField(max_length=2)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="open")
    closed_by = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["ordinary", "extraordinary"]), name="notice_request_kind"),
            models.CheckConstraint(condition=Q(state__in=["open", "given", "closed"]), name="notice_request_state"),
            models.CheckConstraint(
                condition=~Q(state="given") | Q(contract__isnull=False), name="notice_request_contract"
            ),
        ]
        indexes = [models.Index(fields=["seller"], name="notice_request_open", condition=Q(state="open"))]


class Order(models.Model):
    """What somebody ordered on the order page or through another system, as it was sent; it never changes.

    `unconfirmed`: its link was mailed and is good until `expires_at`; of the link's secret only a hash is kept. `open`:
    staff decide. `done`: a contract of a customer came of it. `refused`: with the reason that was mailed. `prices` are
    those that were shown: a row for each bill, amounts in minor units. `token` makes one order of one that is sent
    twice; `asker` is a hash of whence it came.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="orders")
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="orders")
    version = models.ForeignKey(TariffVersion, on_delete=models.PROTECT, related_name="+")
    offer_number = models.ForeignKey(OfferNumber, on_delete=models.PROTECT, null=True, related_name="orders")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, null=True, related_name="orders")
    code = models.CharField(max_length=100, blank=True, help_text="of the coupon, as it was typed")
    articles: Any = models.JSONField(default=dict, help_text="quantities of add-ons by article")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    kind = models.CharField(max_length=10)
    language = models.CharField(max_length=2)
    buyer: Any = models.JSONField(help_text="address and VAT id, as they were typed")
    prices: Any = models.JSONField(help_text="the bills that were shown")
    token = models.CharField(max_length=64, unique=True)
    secret = models.CharField(max_length=64, unique=True)
    asker = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default="unconfirmed")
    ordered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, related_name="orders")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["business", "consumer"]), name="order_kind"),
            models.CheckConstraint(
                condition=Q(state__in=["unconfirmed", "open", "done", "refused"]), name="order_state"
            ),
            models.CheckConstraint(condition=~Q(state="done") | Q(contract__isnull=False), name="order_contract"),
            models.CheckConstraint(
                condition=Q(state="unconfirmed") | Q(confirmed_at__isnull=False), name="order_confirmed"
            ),
        ]
        indexes = [
            models.Index(fields=["seller"], name="order_open", condition=Q(state="open")),
            models.Index(fields=["seller", "id"], name="order_list"),
        ]
