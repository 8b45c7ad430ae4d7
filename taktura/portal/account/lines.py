"""What a customer books, and how many of it, where the company and the tariff leave that to its customers."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from taktura.billing import services as billing
from taktura.billing.services import Consequence
from taktura.catalog.models import TariffLine
from taktura.catalog.queries import tariff_line_terms
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract, ContractLine, LineStretch, PhaseVersion
from taktura.contracts.queries import lines_on, phase_on
from taktura.core.facts import LineTerms
from taktura.core.schedule import as_billed
from taktura.customers.models import PortalAccess
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField
from taktura.office.terms import price_of
from taktura.portal.account.frame import allows, find, today_of
from taktura.portal.account.steps import Given, Step, take
from taktura.portal.page import ADMINISTRATORS, actor_of, portal_page

METHODS = ["GET", "HEAD", "POST"]
MOST = Decimal(10_000)  # of one line: more is asked for by other ways
STAFF = "staff"


class QuantityForm(forms.Form):
    """How many, from when."""

    quantity = ExactNumberField(label=lazy("New quantity"), at_least=Decimal(1))
    start = DayField(label=lazy("From"))

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today
        self.fields["start"].today = today  # type: ignore[attr-defined]

    def clean_quantity(self) -> Decimal:
        """A whole number that is not a slip."""
        return _whole(self.cleaned_data["quantity"])

    def clean_start(self) -> date:
        """Not before today."""
        return _not_past(self.cleaned_data["start"], self.today)


class BookForm(QuantityForm):
    """What, how many, from when."""

    article = forms.ChoiceField(label=lazy("What"), widget=forms.RadioSelect)
    field_order = ("article", "quantity", "start")

    def __init__(self, *args: Any, articles: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["quantity"].label = _("Quantity")
        self.fields["article"].choices = articles  # type: ignore[attr-defined]


def bookable_by_customer(contract: Contract, day: date) -> list[tuple[str, LineTerms]]:
    """The articles of a contract's tariff that its customer may book on a day, in the tariff's order."""
    if contract.end is not None and contract.end <= day or contract.start > day:
        return []
    phase = phase_on(contract, day)
    version = PhaseVersion.objects.filter(phase=phase, effective_from__lte=day).order_by("effective_from", "id").last()
    rows = TariffLine.objects.filter(version=version.version_id if version else None, charge="recurring")
    found = dict(rows.exclude(booking="included").values_list("pk", "terms"))
    known = tariff_line_terms([pk for pk, terms in found.items() if terms.get("bookable_by") != STAFF])
    return [(t.article, t) for t in sorted(known.values(), key=lambda t: t.position)]


def changeable_lines(contract: Contract, day: date) -> set[int]:
    """The running lines of a contract whose quantity its customer may change."""
    rows = LineStretch.objects.filter(line__contract=contract, effective_from__lte=day).order_by("effective_from", "id")
    latest = dict(rows.values_list("line", "tariff_line__terms"))
    own = ContractLine.objects.filter(contract=contract, charge="recurring", booking="add_on", kept_from=None)
    running = set(lines_on(load_one(contract), day))
    return {
        pk for pk in own.values_list("pk", flat=True)
        if pk in running and pk in latest and latest[pk].get("bookable_by") != STAFF
    }  # fmt: skip


def endable_lines(contract: Contract, day: date) -> set[int]:
    """The running lines of a contract of which its customer may give notice alone: what the tariff includes goes with
    the contract, and what it leaves to staff is theirs."""
    rows = LineStretch.objects.filter(line__contract=contract, effective_from__lte=day).order_by("effective_from", "id")
    latest = dict(rows.values_list("line", "tariff_line__terms"))
    own = ContractLine.objects.filter(contract=contract, notice_received=None).exclude(booking="included")
    running = set(lines_on(load_one(contract), day))
    return {
        pk for pk in own.values_list("pk", flat=True)
        if pk in running and pk in latest and latest[pk].get("bookable_by") != STAFF
    }  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def quantity(request: HttpRequest, access: PortalAccess, pk: int, line: int) -> HttpResponse:
    """Change how many of a line there are: more from any day, fewer from the next billing date on."""
    contract, today = find(access, pk), today_of(access)
    if not allows(access, "quantity") or line not in changeable_lines(contract, today):
        raise Http404
    found = ContractLine.objects.select_related("article", "contract__customer__seller").get(pk=line)
    found.contract = contract
    values = load_one(contract)
    terms, now = lines_on(values, today)[line]
    own = as_billed(values, next(x for x in values.lines if x.id == line), today)
    data = request.POST if request.method == "POST" else None
    fewer_from = max(contract.next_due or today, today)
    form = QuantityForm(data, initial={"quantity": now, "start": fewer_from}, today=today)
    if data is not None and form.is_valid() and _takes_away(form.cleaned_data, now, fewer_from):
        form.add_error("start", _("Fewer are possible from %(day)s on.") % {"day": show.day(fewer_from)})
    actor = actor_of(request)

    def run(given: Given) -> str:
        billing.change_quantity(actor, line=found, quantity=given["quantity"], start=given["start"])
        return "quantity"

    intro = [
        f"{terms.title}: {show.quantity(now)} × {price_of(terms, contract.currency, own.price)}",
        _("More are possible from any day on, fewer from the next billing date on."),
    ]
    return take(request, access, contract, Step(
        title=_("Change quantity"), action=_("Change quantity"), form=form, intro=intro,
        look=lambda given: billing.preview_quantity(
            actor, line=found, quantity=given["quantity"], start=given["start"], bills=1
        ),
        run=run, says=_nothing,
    ))  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def book(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """Book something of the tariff; it is billed with the next bill."""
    contract, today = find(access, pk), today_of(access)
    offered = bookable_by_customer(contract, today) if allows(access, "book") else []
    if not offered:
        raise Http404
    articles = [(key, f"{terms.title}: {price_of(terms, contract.currency)}") for key, terms in offered]
    data = request.POST if request.method == "POST" else None
    initial = {"quantity": Decimal(1), "start": today, "article": articles[0][0]}
    form = BookForm(data, initial=initial, today=today, articles=articles)
    actor = actor_of(request)

    def run(given: Given) -> str:
        billing.book(actor, contract=contract, **given)
        return "booked"

    return take(request, access, contract, Step(
        title=_("Book"), action=_("Book with costs"), form=form, intro=[],
        look=lambda given: billing.preview_book(actor, contract=contract, bills=1, **given), run=run, says=_nothing,
    ))  # fmt: skip


def _takes_away(given: Given, now: Decimal, fewer_from: date) -> bool:
    """Whether there would be fewer before that is possible."""
    return bool(given["quantity"] < now and given["start"] < fewer_from)


def _nothing(given: Given, found: Consequence) -> list[str]:
    return []


def _whole(quantity: Decimal) -> Decimal:
    if quantity != quantity.to_integral_value() or quantity > MOST:
        raise forms.ValidationError(_("A whole number up to %(most)s.") % {"most": show.quantity(MOST)})
    return quantity


def _not_past(day: date, today: date) -> date:
    if day < today:
        raise forms.ValidationError(_("Choose today or a later day."))
    return day
