"""Articles, tariffs with their versions and lines, coupons."""

from typing import Any

from django.db import models
from django.db.models import Q

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


class Tariff(models.Model):
    """An offer. What it costs stands in its versions; what stands here cannot change once it is ordered."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="tariffs")
    key = models.CharField(max_length=100)
    module = models.CharField(max_length=100, blank=True)
    public = models.BooleanField(default=False)
    offer_number = models.CharField(max_length=40, null=True, blank=True, unique=True)
    anchor = models.CharField(max_length=10, default="contract")
    currency = models.CharField(max_length=3)
    notice: Any = models.JSONField(default=str)
    trial = SpanField(null=True, blank=True)
    retired = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "key"], name="tariff_key")]


class TariffVersion(models.Model):
    """What a tariff says from a date on (R16.3); never edited. `applies_to`: new contracts, or all."""

    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="versions")
    valid_from = models.DateField(help_text="0001-01-01: from the beginning")
    applies_to = models.CharField(max_length=3, default="new")
    title = models.CharField(max_length=200)
    interval = SpanField()
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


class Coupon(models.Model):
    """A discount that can be given to contracts (R10.2)."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="coupons")
    key = models.CharField(max_length=50)
    percent = ExactField(null=True)
    amount = ExactField(null=True)
    periods = models.PositiveIntegerField(null=True, help_text="for so many periods; none: for good")
    articles: Any = models.JSONField(default=list, help_text="keys of articles; empty: all")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="coupon_key"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True, amount__isnull=False, amount__gt=0)
                | Q(amount__isnull=True, percent__isnull=False, percent__gt=0, percent__lte=100),
                name="coupon_percent_or_amount",
            ),
        ]
