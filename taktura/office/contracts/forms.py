"""The forms of what can be done with a contract. Each gives what its service takes, as `cleaned_data`."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.catalog.coupons import in_state
from taktura.catalog.models import Coupon, Tariff
from taktura.catalog.queries import titles
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract, ContractLine, LineQuantity
from taktura.contracts.queries import bookable, line_names, quantity_changes
from taktura.contracts.services import lines_left
from taktura.core.errors import Refused
from taktura.core.exchange import RULES
from taktura.core.facts import Line, at
from taktura.core.periods import DAY
from taktura.office import show
from taktura.office.contracts.called import called
from taktura.office.forms import DayField, ExactNumberField
from taktura.office.terms import price_of

_DURATION = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d)")


class DurationField(forms.CharField):
    """A length of time as h:mm:ss or mm:ss; gives whole seconds."""

    def clean(self, value: Any) -> Any:
        """Seconds, or None."""
        text = str(super().clean(value) or "").replace(" ", "")
        if not text:
            return None
        found = _DURATION.fullmatch(text)
        if found is None or (found[1] and int(found[2]) > 59):
            raise forms.ValidationError(
                _("“%(text)s” is no duration: type it as in 12:30 (minutes and seconds) or 1:02:30.") % {"text": text}
            )
        return int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])


class ChangeForm(forms.Form):
    """A form about one contract. `TODAY`: the fields that begin with today's date."""

    TODAY: tuple[str, ...] = ()

    def __init__(self, data: Any = None, *, contract: Contract, today: date, initial: Any = None) -> None:
        super().__init__(data, initial=dict.fromkeys(self.TODAY, today) | dict(initial or {}))
        self.contract, self.today = contract, today
        for field in self.fields.values():
            if isinstance(field, DayField):
                field.today = today
        self.prepare()

    def prepare(self) -> None:
        """Set what depends on the contract."""

    def choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Set a field's choices."""
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """What the service and its preview take, beside actor and contract."""
        return dict(self.cleaned_data)


def line_choices(contract: Contract, today: date, *, charges: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The lines that run or are to come, with what they are called and how many there are."""
    found = []
    values, names = load_one(contract), line_names(contract)
    for line in sorted(values.lines, key=lambda x: (x.terms[-1][1].position, x.id)):
        if min(line.end, values.end) <= today or (charges and line.terms[0][1].charge not in charges):
            continue
        found.append((str(line.id), _called(line, today, names.get(line.id, ""))))
    return found


def _called(line: Line, today: date, name: str) -> str:
    terms = at(line.terms, today)
    title = called(terms.title, name)
    if terms.charge == "usage" and terms.usage_pricing != "fixed_quantity":
        return _("%(title)s (by usage)") % {"title": title}
    quantity = show.quantity(at(line.quantities, max(today, line.start)))
    named = {"title": title, "quantity": quantity, "day": show.day(line.start)}
    if line.start > today:
        return _("%(title)s: %(quantity)s, from %(day)s") % named
    return _("%(title)s: %(quantity)s") % named


class LineForm(ChangeForm):
    """About one line of the contract."""

    line = forms.ChoiceField(label=lazy("Contract line"))

    def prepare(self) -> None:
        self.choose("line", line_choices(self.contract, self.today))

    def clean_line(self) -> ContractLine:
        """The line."""
        return _line_of(self.contract, self.cleaned_data["line"])


def _line_of(contract: Contract, pk: str) -> ContractLine:
    rows = ContractLine.objects.select_related("contract__customer__seller", "article")
    line: ContractLine = rows.get(pk=pk, contract=contract)
    line.contract = contract
    return line


class QuantityForm(LineForm):
    """Another quantity from a day on."""

    TODAY = ("start",)
    quantity = ExactNumberField(label=lazy("New quantity"), at_least=Decimal(0))
    start = DayField(label=lazy("From"), help_text=lazy("The first day of the new quantity."))
    memo = forms.CharField(label=lazy("Note"), max_length=500, required=False, help_text=lazy("Stands in the history."))


class ConditionsForm(ChangeForm):
    """The contract's own conditions of one line, which its address names, from a day on: all that hold then."""

    TODAY = ("start",)
    line = forms.CharField(label=lazy("Contract line"), widget=forms.HiddenInput)
    start = DayField(label=lazy("From"), help_text=lazy("The first day on which they hold."))
    price = ExactNumberField(
        label=lazy("Own price"), required=False, at_least=Decimal(0),
        help_text=lazy("Left empty: the price of the tariff."),
    )  # fmt: skip
    discount = ExactNumberField(label=lazy("Discount in percent"), required=False, at_least=Decimal(0))
    reason = forms.CharField(
        label=lazy("Reason of the discount"), max_length=200, required=False, help_text=lazy("Stands on documents.")
    )
    minimum_quantity = ExactNumberField(
        label=lazy("Minimum quantity"), required=False, at_least=Decimal(0),
        help_text=lazy("What is billed at least."),
    )  # fmt: skip
    memo = forms.CharField(label=lazy("Note"), max_length=500, required=False, help_text=lazy("Stands in the history."))

    def prepare(self) -> None:
        running = {str(x.id): x for x in load_one(self.contract).lines if x.terms[0][1].charge != "once"}
        named = self.data.get("line") if self.is_bound else self.initial.get("line")
        self.chosen = running.get(str(named or ""))
        if self.chosen is None:
            return
        name = line_names(self.contract).get(self.chosen.id, "")
        self.heading = _called(self.chosen, self.today, name)
        own = self.chosen.on(max(self.today, self.chosen.start))
        found = {name: getattr(own, name) for name in ("price", "reason", "minimum_quantity")}
        self.initial = {**found, "discount": own.discount or None, **self.initial}

    def clean_line(self) -> ContractLine:
        """The line."""
        if self.chosen is None:
            raise forms.ValidationError(_("Choose a contract line first: its menu leads here."))
        return _line_of(self.contract, self.cleaned_data["line"])

    def arguments(self) -> dict[str, Any]:
        return {**self.cleaned_data, "discount": self.cleaned_data["discount"] or Decimal(0)}


class TakeBackForm(ChangeForm):
    """A change of quantity that is taken back."""

    change = forms.ChoiceField(label=lazy("Change of quantity"))
    memo = forms.CharField(label=lazy("Note"), max_length=500, required=False, help_text=lazy("Stands in the history."))

    def prepare(self) -> None:
        names = line_names(self.contract)
        title = {x.id: x.terms[-1][1].title for x in load_one(self.contract).lines}
        self.choose("change", [
            (str(q.pk), _("%(title)s: %(quantity)s from %(day)s") % {
                "title": called(title[q.line_id], names.get(q.line_id, "")), "quantity": show.quantity(q.quantity),
                "day": show.day(q.start),
            })
            for q in quantity_changes(self.contract)
        ])  # fmt: skip

    def clean_change(self) -> LineQuantity:
        """The change, with its line and contract."""
        found: LineQuantity = quantity_changes(self.contract).get(pk=self.cleaned_data["change"])
        found.line.contract = self.contract
        return found


class EndForm(LineForm):
    """The end of a line."""

    TODAY = ("last_day",)
    last_day = DayField(label=lazy("Last day"))

    def arguments(self) -> dict[str, Any]:
        return {"line": self.cleaned_data["line"], "until": self.cleaned_data["last_day"] + DAY}


class BookForm(ChangeForm):
    """An article more."""

    TODAY = ("start",)
    article = forms.ChoiceField(label=lazy("Article"))
    name = forms.CharField(
        label=lazy("Name"), max_length=100, required=False,
        help_text=lazy("Tells several contract lines of one article apart, as in “Reception”; it stands on documents."),
    )  # fmt: skip
    quantity = ExactNumberField(label=lazy("Quantity"), at_least=Decimal(0))
    start = DayField(label=lazy("From"))
    last_day = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: as long as the contract."))
    now = forms.ChoiceField(label=lazy("Bill"), widget=forms.RadioSelect, initial="")
    memo = forms.CharField(label=lazy("Note"), max_length=500, required=False)
    price = ExactNumberField(label=lazy("Own price"), required=False, at_least=Decimal(0))
    discount = ExactNumberField(label=lazy("Discount in percent"), required=False, at_least=Decimal(0))
    reason = forms.CharField(label=lazy("Reason of the discount"), max_length=200, required=False)
    minimum_quantity = ExactNumberField(label=lazy("Minimum quantity"), required=False, at_least=Decimal(0))

    MORE = ("price", "discount", "reason", "minimum_quantity")

    def prepare(self) -> None:
        known = bookable(self.contract, max(self.today, self.contract.start))
        self.choose("article", [(key, title) for key, title in known])
        self.choose("now", [("", _("with the next billing")), ("1", _("at once"))])
        self.fields["now"].required = False
        self.initial.setdefault("quantity", Decimal(1))

    def arguments(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        last = given.pop("last_day")
        return {
            **given,
            "end": last + DAY if last else None,
            "now": given["now"] == "1",
            "discount": given["discount"] or Decimal(0),
        }


class UsageForm(ChangeForm):
    """A record of usage by hand."""

    TODAY = ("day",)
    article = forms.ChoiceField(label=lazy("What was used"))
    quantity = ExactNumberField(label=lazy("Quantity"), required=False)
    duration = DurationField(
        label=lazy("Duration"), required=False, help_text=lazy("Minutes and seconds, as in 12:30, or 1:02:30.")
    )
    cost = ExactNumberField(
        label=lazy("Cost of one"), required=False, help_text=lazy("What one costs at the supplier.")
    )
    price = ExactNumberField(label=lazy("Price of one"), required=False, help_text=lazy("At the supplier's price."))
    day = DayField(label=lazy("Day"))
    at = forms.TimeField(
        label=lazy("Time"), required=False, input_formats=["%H:%M", "%H.%M", "%H:%M:%S"],
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "12:00"}),
    )  # fmt: skip
    note = forms.CharField(label=lazy("Note"), max_length=500, required=False)

    def prepare(self) -> None:
        values = load_one(self.contract)
        lines = {x.article: at(x.terms, self.today) for x in values.lines if x.terms[0][1].charge == "usage"}
        self.choose("article", [(key, terms.title) for key, terms in lines.items()])
        pricing = {terms.usage_pricing for terms in lines.values()}
        for name, needed in (("cost", "cost_plus"), ("price", "imported_price")):
            if needed not in pricing:
                del self.fields[name]
        if not any(terms.unit == "minute" for terms in lines.values()):
            del self.fields["duration"]

    def clean(self) -> dict[str, Any]:
        """A quantity or a duration, not both."""
        given = super().clean() or {}
        both = given.get("quantity"), given.get("duration")
        if "duration" in self.fields and not self.errors and both[0] is not None and both[1] is not None:
            self.add_error("duration", _("Give a quantity or a duration, not both."))
        if not self.errors and both == (None, None) and given.get("cost") is None:
            self.add_error("quantity", _("Give what was used."))
        return given

    def moment(self) -> datetime:
        """When it was used, where the seller is."""
        zone = ZoneInfo(self.contract.customer.seller.time_zone)
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["at"] or time(12), zone)

    def arguments(self) -> dict[str, Any]:
        """An entry as `record_usage` takes it."""
        given = {k: v for k, v in self.cleaned_data.items() if k in ("quantity", "cost", "price") and v is not None}
        if self.cleaned_data.get("duration") is not None:
            given["duration"] = self.cleaned_data["duration"]
        if self.cleaned_data["note"]:
            given["attributes"] = {"note": self.cleaned_data["note"]}
        given |= {"contract": self.contract.key, "article": self.cleaned_data["article"], "at": self.moment()}
        return given


class InterimForm(ChangeForm):
    """A bill before its day."""

    leave_out = forms.MultipleChoiceField(label=lazy("Leave out"), required=False, widget=forms.CheckboxSelectMultiple)

    def prepare(self) -> None:
        self.choose(
            "leave_out",
            [
                ("usage", _("usage of the running period")),
                ("time", _("approved time")),
                ("sales_items", _("sales items")),
            ],
        )


class PauseForm(ChangeForm):
    """A pause."""

    TODAY = ("start",)
    start = DayField(label=lazy("From"), help_text=lazy("The first day that is not billed."))
    last_day = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: until it is resumed."))

    def arguments(self) -> dict[str, Any]:
        last = self.cleaned_data["last_day"]
        return {"start": self.cleaned_data["start"], "end": last + DAY if last else None}


class ResumeForm(ChangeForm):
    """The end of a pause."""

    TODAY = ("start",)
    start = DayField(label=lazy("From"), help_text=lazy("The first day that is billed again."))


class KeepField(forms.MultipleChoiceField):
    """Lines to be decided about; what is not to be decided any more, since tariff or day are others, is passed over."""

    def clean(self, value: Any) -> Any:
        """The articles that are ticked and offered."""
        return [x for x in value or [] if self.valid_value(x)]


class TariffForm(ChangeForm):
    """Another tariff. Which lines are to be decided about depends on the tariff and the day that are chosen."""

    TODAY = ("start",)
    tariff = forms.ChoiceField(label=lazy("New tariff"))
    start = DayField(label=lazy("From"), help_text=lazy("The first day under the new tariff."))
    keep_billing_dates = forms.BooleanField(
        label=lazy("Keep the billing dates"), required=False, initial=True,
        help_text=lazy("Otherwise a new period begins on the day of the change."),
    )  # fmt: skip
    keep_terms = forms.BooleanField(label=lazy("Keep term and notice"), required=False, initial=True)
    keep = KeepField(
        label=lazy("Keep at their old terms"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=lazy("Contract lines that the new tariff does not have end, unless they are kept."),
    )  # fmt: skip

    def prepare(self) -> None:
        self.tariffs = tariff_choices(self.contract, self.today)
        self.choose("tariff", self.tariffs)
        if not self.tariffs:
            named = {"currency": self.contract.currency}
            self.fields["tariff"].help_text = _("There is no other tariff in %(currency)s: make one first.") % named
        left = self._left()
        self.choose("keep", left)
        if not left:
            del self.fields["keep"]

    def _left(self) -> list[tuple[str, str]]:
        """The articles of the lines that the chosen tariff does not have on the chosen day, in words."""
        chosen = self["tariff"].value() or next((pk for pk, _title in self.tariffs), "")
        try:
            tariff = Tariff.objects.get(pk=chosen, seller=self.contract.customer.seller_id)
            start = self.fields["start"].clean(self["start"].value())
            lines = lines_left(self.contract, tariff, start)
        except (Tariff.DoesNotExist, ValueError, forms.ValidationError, Refused):
            return []  # the form or the preview says what is wrong
        values, names = {x.id: x for x in load_one(self.contract).lines}, line_names(self.contract)
        found: dict[str, list[str]] = {}
        for line in lines:
            terms = at(values[line.pk].terms, max(start, line.start))
            price = price_of(terms, self.contract.currency, values[line.pk].on(max(start, line.start)).price)
            text = _("%(title)s: %(price)s") % {"title": called(terms.title, names.get(line.pk, "")), "price": price}
            found.setdefault(line.article.key, []).append(text)
        return [(article, " · ".join(texts)) for article, texts in found.items()]

    def clean_tariff(self) -> Tariff:
        """The tariff."""
        return Tariff.objects.get(pk=self.cleaned_data["tariff"], seller=self.contract.customer.seller_id)


def tariff_choices(contract: Contract, today: date) -> list[tuple[str, str]]:
    """The tariffs that a contract can change to: in its currency, not retired, another than its own."""
    seller = contract.customer.seller_id
    named = titles(seller, today)
    rows = Tariff.objects.filter(seller=seller, currency=contract.currency, retired=False)
    rows = rows.exclude(pk=contract.tariff_id)
    return sorted(((str(t.pk), named.get(t.pk, t.key)) for t in rows), key=lambda t: t[1])


class ConversionForm(ChangeForm):
    """Whether suppliers' amounts in another currency are converted."""

    rule = forms.ChoiceField(
        label=lazy("Suppliers' amounts in another currency"), required=False,
        help_text=lazy("It holds for usage that finds its line from now on. What is recorded keeps its rate."),
    )  # fmt: skip

    def prepare(self) -> None:
        self.choose("rule", [(rule, show.word("conversion", rule or "none")) for rule in ("", *RULES)])
        self.initial.setdefault("rule", self.contract.conversion)


class CouponForm(ChangeForm):
    """A coupon: chosen, or a code as the customer has it."""

    coupon = forms.ChoiceField(label=lazy("Coupon"), required=False)
    code = forms.CharField(
        label=lazy("Or a code"), max_length=100, required=False,
        help_text=lazy("As the customer has it. Case and hyphens do not count."),
    )  # fmt: skip

    def prepare(self) -> None:
        known = coupon_choices(self.contract.customer.seller_id, self.contract.currency, self.today)
        self.choose("coupon", [("", _("Choose")), *known])

    def clean_coupon(self) -> Coupon | None:
        """The coupon, if one is chosen."""
        chosen = self.cleaned_data["coupon"]
        return Coupon.objects.get(pk=chosen, seller=self.contract.customer.seller_id) if chosen else None

    def clean(self) -> dict[str, Any]:
        """One of both."""
        given = self.cleaned_data
        if not self.errors and bool(given.get("coupon")) == bool(given.get("code")):
            self.add_error("coupon", _("Choose a coupon, or type a code."))
        return given


def coupon_choices(seller: int, currency: str, today: date) -> list[tuple[str, str]]:
    """A seller's coupons that can be redeemed on a day, with what they take off."""
    found = []
    for coupon in in_state(Coupon.objects.filter(seller=seller), "running", today).order_by("key"):
        off = (
            show.rate(coupon.percent)
            if coupon.percent is not None
            else show.price(coupon.amount or Decimal(0), currency)
        )
        found.append((str(coupon.pk), _("%(coupon)s: %(amount)s off") % {"coupon": coupon.key, "amount": off}))
    return found


def problems(form: forms.BaseForm) -> list[str]:
    """What is missing or wrong, in one line each."""
    found = []
    errors: Mapping[str, Any] = form.errors
    for name, texts in errors.items():
        label = form.fields[name].label if name in form.fields else ""
        found += [f"{label}: {text}" if label else str(text) for text in texts]
    return found
