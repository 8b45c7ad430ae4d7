"""Alerts: bounds that usage has crossed, or will."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import models
from django.db.models import Q

from taktura.catalog.models import Article, Tariff
from taktura.contracts.models import Contract, ContractLine
from taktura.core.money import plain
from taktura.customers.models import Seller
from taktura.kit.fields import ExactField

KINDS = ("cap", "flat", "included")
# open: somebody should look · ignored: not before a day, or never again · reached: a forecast that came true, the alert
# of the bound itself stands for it · resolved: a correction brought it back
STATES = ("open", "ignored", "reached", "resolved")


class Alert(models.Model):
    """A bound that a contract's usage has crossed in one billing period, or (`forecast`) will (R19).

    `value` and `bound` are amounts in the contract's currency, of `included` quantities in `unit`, with 12 decimals at
    most; `foreseen` is the value at the period's end if usage goes on so. `days` has the period, `begun` of them had
    begun. `share` is value (of a forecast: foreseen) in percent of the bound, for sorting; none of a bound of 0.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    line = models.ForeignKey(ContractLine, null=True, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=10)
    forecast = models.BooleanField(default=False)
    start = models.DateField()
    end = models.DateField(help_text="exclusive")
    unit = models.CharField(max_length=20, blank=True)
    value = ExactField()
    bound = ExactField()
    foreseen = ExactField()
    share = ExactField(null=True)
    tolerance = ExactField(default=0)
    days = models.PositiveIntegerField()
    begun = models.PositiveIntegerField()
    state = models.CharField(max_length=10, default="open")
    ignored_until = models.DateField(null=True, help_text="the day on which it is open again; none: never")
    raised_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "line", "kind", "start", "forecast"], name="alert_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="alert_kind"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="alert_state"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="alert_days"),
            models.CheckConstraint(condition=Q(kind="cap") ^ Q(line__isnull=False), name="alert_line"),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="alert_list"),
            models.Index(fields=["seller", "state"], name="alert_open", condition=Q(state__in=["open", "ignored"])),
        ]


class AlertRecipients(models.Model):
    """To whom a seller's new alerts are mailed: addresses, and users by their role. Nobody unless it is set."""

    seller = models.OneToOneField(Seller, primary_key=True, on_delete=models.CASCADE, related_name="alert_recipients")
    addresses: Any = models.JSONField(default=list)
    roles: Any = models.JSONField(default=list)


class FlatPeriod(models.Model):
    """A flat price in one billing period: its fee, and what its minutes would have cost at the reference price.

    `month` is the first of the month in which the period begins. `over`: the period was over when it was last looked
    at. Articles and tariffs are kept for sums (`FlatMonth`, `FlatLine`), which the database adds up.
    """

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="+", db_index=False)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="+")
    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="flat_periods", db_index=False)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+", db_index=False)
    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    month = models.DateField()
    start = models.DateField()
    end = models.DateField(help_text="exclusive")
    minutes = ExactField()
    notional = ExactField()
    fee = ExactField()
    over = models.BooleanField(default=False)

    class Meta:
        ordering = ["line", "start"]
        constraints = [
            models.UniqueConstraint(fields=["line", "start"], name="flat_period_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="flat_period_days"),
        ]
        indexes = [models.Index(fields=["seller", "end"], name="flat_period_ends", condition=Q(over=False))]


class FlatMonth(models.Model):
    """The flat prices of a tariff's article in one month, summed up. Written by triggers alone (`flat_prices`)."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="+", db_index=False)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+", db_index=False)
    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    month = models.DateField()
    periods = models.BigIntegerField()
    above = models.BigIntegerField(help_text="periods whose minutes are worth more than the fee")
    minutes = ExactField()
    notional = ExactField()
    fee = ExactField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "month", "currency", "tariff", "article"], name="flat_month")
        ]


class FlatLine(models.Model):
    """A flat price over the last so many `months` (up to `as_of`, a first of the month), for lists of profitability.

    `gain` is fee less notional: below zero the flat price loses.
    """

    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="flat_lines", db_index=False)
    months = models.PositiveSmallIntegerField()
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="+", db_index=False)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="+")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+", db_index=False)
    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    periods = models.PositiveIntegerField()
    above = models.PositiveIntegerField()
    minutes = ExactField()
    notional = ExactField()
    fee = ExactField()
    gain = ExactField()
    as_of = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "months"], name="flat_line_once")]
        indexes = [
            models.Index(fields=["seller", "months", "gain", "id"], name="flat_line_gain"),
            models.Index(fields=["seller", "as_of"], name="flat_line_as_of"),
        ]

    @property
    def share(self) -> Decimal | None:
        """Notional in percent of the fee, to a hundredth; none of a fee of 0."""
        return plain(Fraction(self.notional) * 100 / Fraction(self.fee), 2) if self.fee else None
