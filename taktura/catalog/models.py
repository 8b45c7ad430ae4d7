"""Articles, modules, tariffs with their versions and lines, offer numbers, coupons with their codes."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from taktura.customers.models import Seller
from taktura.kit.fields import ExactField, SpanField


class Article(models.Model):
    """What is sold."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="articles")
    key = models.CharField(max_length=100)
    number = models.CharField(max_length=50, blank=True)
    title = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=20, default="piece")
    ledger_account = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "key"], name="article_key")]


class Key(models.Model):
    """A word by which data sources name what is used, and what a line with it may have.

    `article`: what it stands for in contracts that have no line with it (a tie).
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="usage_keys")
    key = models.CharField(max_length=100)
    title = models.CharField(max_length=200, blank=True)
    titles: Any = models.JSONField(default=dict, help_text="by language; where one is missing, the title")
    source = models.CharField(max_length=200, blank=True, help_text="what sends it, in words")
    time_based = models.BooleanField(default=False, help_text="may be billed by the minute")
    flat_price = models.BooleanField(default=False, help_text="may have a flat price")
    own_notice = models.BooleanField(default=False, help_text="may have its own terms of notice")
    article = models.ForeignKey(Article, on_delete=models.PROTECT, null=True, related_name="keys")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["seller", "key"], name="usage_key")]


class Module(models.Model):
    """Tariffs that are offered together. `titles` by language; `title` stands where a language has none.

    Modules stand in the order of `position`, then as they were made; so do the tariffs of a module.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="modules")
    key = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    titles: Any = models.JSONField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["seller", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["seller", "key"], name="module_key")]


class Tariff(models.Model):
    """An offer. What it says stands in its versions; what stands here holds for all of them."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="tariffs")
    key = models.CharField(max_length=100)
    module = models.ForeignKey(Module, on_delete=models.PROTECT, null=True, blank=True, related_name="tariffs")
    position = models.PositiveIntegerField(default=0, help_text="its place in the module")
    public = models.BooleanField(default=False)
    currency = models.CharField(max_length=3)
    retired = models.BooleanField(default=False)
    order_approval = models.CharField(max_length=7, default="company", help_text="whether staff approve its orders")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="tariff_key"),
            models.CheckConstraint(
                condition=Q(order_approval__in=["company", "always", "never"]), name="tariff_order_approval"
            ),
        ]

    @property
    def module_key(self) -> str:
        """The name of its module; empty where it is in none."""
        return self.module.key if self.module else ""


def standard_notice() -> str:
    """The terms of notice of a tariff that names none (R15.2)."""
    return "none"


class TariffVersion(models.Model):
    """What a tariff says from a date on (R16.3); never edited. `applies_to`: new contracts, or all.

    `anchor`, `notice` and `trial` are agreed when a contract is signed: a later version changes them for new ones only.
    """

    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="versions")
    valid_from = models.DateField(help_text="0001-01-01: from the beginning")
    applies_to = models.CharField(max_length=3, default="new")
    title = models.CharField(max_length=200)
    titles: Any = models.JSONField(default=dict, help_text="by language; where one is missing, the title")
    interval = SpanField()
    anchor = models.CharField(max_length=10, default="contract")
    notice: Any = models.JSONField(default=standard_notice)
    trial = SpanField(null=True, blank=True)
    tick = models.CharField(max_length=20, blank=True, help_text="of lines that have none; empty: minute")
    tick_scope = models.CharField(max_length=6, blank=True)
    vat: Any = models.JSONField(null=True)
    minimum_sales = ExactField(null=True)
    cost_cap = ExactField(null=True)
    minimum_proration = models.CharField(max_length=5, default="daily")
    cap_proration = models.CharField(max_length=5, default="none")
    interim_threshold = ExactField(null=True)
    tolerance = ExactField(default=0)
    credit_on_end = models.BooleanField(default=True)

    class Meta:
        ordering = ["tariff", "valid_from", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(applies_to__in=["new", "all"]), name="version_applies_to"),
            models.CheckConstraint(
                condition=Q(minimum_sales__isnull=True) | Q(minimum_sales__gte=0), name="version_min"
            ),
            models.CheckConstraint(condition=Q(cost_cap__isnull=True) | Q(cost_cap__gte=0), name="version_cap"),
            models.CheckConstraint(condition=Q(tolerance__gte=0), name="version_tolerance"),
        ]


class TariffDraft(models.Model):
    """A tariff that is being written, or a change of one; nobody can order it, and nothing is billed by it.

    `fields`: as a person writes them, complete or not: those of the scenario format, with `lines` as a list of lines in
    order, each with its `article`. `revision` counts what was saved, so that of two who write at once the second is
    told.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    tariff = models.OneToOneField(
        Tariff, on_delete=models.CASCADE, null=True, related_name="draft", help_text="none: a new tariff"
    )
    version = models.ForeignKey(
        TariffVersion, on_delete=models.SET_NULL, null=True, related_name="+", help_text="what it was begun from"
    )
    key = models.CharField(max_length=100)
    fields: Any = models.JSONField()
    begun: Any = models.JSONField(null=True, help_text="what the tariff said when it was begun; none: a new tariff")
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], condition=Q(tariff__isnull=True), name="tariff_draft_key")
        ]


class TariffLine(models.Model):
    """One line of a tariff in one version. `terms` holds its settings by the names of the scenario format."""

    version = models.ForeignKey(TariffVersion, on_delete=models.CASCADE, related_name="lines")
    article = models.ForeignKey(Article, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    alternative_name = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=100, blank=True)
    charge = models.CharField(max_length=10)
    booking = models.CharField(max_length=10)
    terms: Any = models.JSONField()

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "article"], name="tariff_line_article"),
            models.UniqueConstraint(fields=["version", "key"], condition=~Q(key=""), name="tariff_line_key"),
            models.CheckConstraint(condition=Q(charge__in=["once", "recurring", "usage"]), name="tariff_line_charge"),
            models.CheckConstraint(
                condition=Q(booking__in=["included", "add_on", "on_off"]), name="tariff_line_booking"
            ),
        ]


class OfferNumber(models.Model):
    """By it a tariff can be ordered that is not public, in the version that it pins.

    `folded` is the number as it is looked up: without case and signs. `last_day` is the last day on which it can be
    used, `most_uses` how often it can be; without them it is not bound by that.
    """

    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="offer_numbers")
    version = models.ForeignKey(TariffVersion, on_delete=models.RESTRICT, related_name="offer_numbers")
    number = models.CharField(max_length=40)
    folded = models.CharField(max_length=40, unique=True)
    memo = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    last_day = models.DateField(null=True, blank=True)
    most_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["tariff", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(most_uses__isnull=True) | Q(most_uses__gte=1), name="offer_number_most"),
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses")), name="offer_number_uses"
            ),
        ]


class Coupon(models.Model):
    """A discount that can be given to contracts (R10.2).

    `folded` is its key as it is looked up: without case and signs. `first_day` and `last_day` are the days on which it
    may be redeemed, `most_uses` how often; without them it is not bound by that. What it takes off never changes once
    it was redeemed.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="coupons")
    key = models.CharField(max_length=50)
    folded = models.CharField(max_length=150)
    title = models.CharField(max_length=200, blank=True)
    percent = ExactField(null=True)
    amount = ExactField(null=True)
    periods = models.PositiveIntegerField(null=True, help_text="for so many periods; none: for good")
    articles: Any = models.JSONField(default=list, help_text="keys of articles; empty: all")
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    most_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    off = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="coupon_key"),
            models.UniqueConstraint(fields=["seller", "folded"], name="coupon_folded"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True, amount__isnull=False, amount__gt=0)
                | Q(amount__isnull=True, percent__isnull=False, percent__gt=0, percent__lte=100),
                name="coupon_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(first_day__isnull=True) | Q(last_day__isnull=True) | Q(last_day__gte=F("first_day")),
                name="coupon_days",
            ),
            models.CheckConstraint(condition=Q(most_uses__isnull=True) | Q(most_uses__gte=1), name="coupon_most"),
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses")), name="coupon_uses"
            ),
        ]


class CouponCode(models.Model):
    """By it one contract can redeem a coupon, once. `folded` is the code as it is looked up: without case and signs."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="codes")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    folded = models.CharField(max_length=40)
    memo = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["coupon", "id"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "folded"], name="coupon_code"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(revoked_at=None), name="coupon_code_once"),
        ]
