"""The forecast: what will the next bills be, how do they differ from the last, and why? Asked for, then worked out in
the background; its result is a page that can be found again."""

from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from taktura.billing.forecast import Forecast, Sum
from taktura.billing.forecast_result import FORECAST, read_work
from taktura.billing.tasks import start_forecast
from taktura.core.errors import Refused
from taktura.core.periods import DAY, Span, add
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.queries import recent_work
from taktura.office import show
from taktura.office.billing.foreseen import KINDS, Shown, export, names_of, rows_of
from taktura.office.exports import CSV, XLSX
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of, zone_of

MONTH, SOON = Span(1, "month"), Span(15, "day")
MONTHS_OFFERED = 13
LATELY = 5
PAGE = 50
FAILED_SHOWN = 50


class ForecastForm(forms.Form):
    """The days on which the next bills fall."""

    until = DayField(label=lazy("Until"), required=False, help_text=lazy("All next bills from today until this day."))
    month = forms.TypedChoiceField(
        label=lazy("Or in a month"), coerce=lambda text: date.fromisoformat(text) if text else None, required=False,
        empty_value=None, help_text=lazy("Contracts whose next bill comes in this month."),
    )  # fmt: skip

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        today = today_of(request)
        soon = add(today, SOON).replace(day=1)  # in its second half a month is over for those who look ahead
        super().__init__(data, initial={"until": add(soon, MONTH) - DAY})
        fields: Any = self.fields
        fields["until"].today = today
        months = [add(today.replace(day=1), MONTH, i) for i in range(MONTHS_OFFERED)]
        fields["month"].choices = [("", "–"), *((m.isoformat(), show.month(m)) for m in months)]

    def clean(self) -> dict[str, Any]:
        """One of both is needed."""
        given: dict[str, Any] = super().clean() or {}
        if not self.errors and not given.get("month") and not given.get("until"):
            self.add_error("month", _("Choose a month or type a day."))
        return given

    def days(self) -> dict[str, date | None]:
        """The first and the last day; a month that was chosen goes before a day, which is proposed."""
        given = self.cleaned_data
        if given["month"]:
            return {"first": given["month"], "until": add(given["month"], MONTH) - DAY}
        return {"first": None, "until": given["until"]}


@page("billing.view")
@require_http_methods(["GET", "POST"])
def forecast(request: HttpRequest) -> HttpResponse:
    """Choose the days, and start."""
    seller = seller_of(request)
    form = ForecastForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        days: Any = form.days()
        try:
            work = start_forecast(actor_of(request), seller=seller, **days)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect("work", work.pk)
    lately = recent_work(f"seller:{seller.pk}", FORECAST).filter(result__has_key="rows").defer("result")[:LATELY]
    context = {
        "form": form, "title": _("Forecast"), "action": _("Foresee"), "back": reverse("billing"),
        "parent": _("Billing"), "lately": [(work, _days(work)) for work in lately],
    }  # fmt: skip
    return render(request, "billing/forecast.html", context, status=422 if form.errors else 200)


def _days(work: Work) -> str:
    first, until = (date.fromisoformat(work.parameters[name]) for name in ("first", "until"))
    return show.period(first, until + DAY)


@page("billing.view")
@require_safe
def result(request: HttpRequest, forecast: int) -> HttpResponse:
    """What came of it, in one currency; `part`, `cause`, `sort`, `q` and `page` say which contracts, `export` makes a
    file of them."""
    work, found = kept_or_404(request, forecast)
    home = seller_of(request).currency
    sums = sorted(found.sums(), key=lambda s: s.currency != home)
    one = next((s for s in sums if s.currency == request.GET.get("currency")), sums[0] if sums else None)
    part = request.GET.get("part", "") if request.GET.get("part", "") in KINDS else ""
    form, text, sort = (request.GET.get(name, "") for name in ("export", "q", "sort"))
    cause = request.GET.get("cause", "")
    cause = cause if one is not None and cause in dict(one.causes) else ""
    rows = rows_of(found, one.currency if one else "", part, cause, text.strip(), sort)
    if form in (CSV, XLSX):
        return export(rows, form, zone_of(request))
    number = _page(request, len(rows))
    shown = rows[number * PAGE : (number + 1) * PAGE]
    context = {
        "work": work, "found": found, "sums": sums, "sum": one, "part": part, "cause": cause, "q": text, "sort": sort,
        "rows": [Shown.of(row, names) for names in [names_of(shown)] for row in shown],
        "number": len(rows), "total": sum(row.difference for row in rows), "total_new": sum(row.new for row in rows),
        "total_old": sum(row.old for row in rows),
        "before": number if number > 0 else None, "after": number + 2 if (number + 1) * PAGE < len(rows) else None,
        "columns": [
            ("name", _("Customer"), False), ("on", _("Due on"), True), ("old", _("Last bill"), True),
            ("new", _("Next bill"), True), ("difference", _("Difference"), True),
        ],
        "failed": found.failed[:FAILED_SHOWN], **(_figures(found, one) if one else {}),
    }  # fmt: skip
    return render(request, "billing/forecast_result.html", context)


def kept_or_404(request: HttpRequest, pk: int) -> tuple[Work, Forecast]:
    """The seller's forecast with its result, or 404."""
    work = get_object_or_404(Work, pk=pk, kind=FORECAST, subject=f"seller:{seller_of(request).pk}")
    kept = read_work(work)
    if kept is None:
        raise Http404
    return work, kept


def _page(request: HttpRequest, number: int) -> int:
    """The page asked for, counted from 0, within what there is."""
    asked = request.GET.get("page", "")
    wanted = int(asked) - 1 if asked.isdecimal() and len(asked) < 9 else 0
    return max(0, min(wanted, (number - 1) // PAGE))


def _figures(found: Forecast, one: Sum) -> dict[str, Any]:
    """What stands above the table: how many bills become more and less, and the picture of the causes."""
    rows = [row for row in found.rows if row.currency == one.currency and not row.is_first]
    more, less = [r for r in rows if r.difference > 0], [r for r in rows if r.difference < 0]
    contracts = {cause: sum(cause in dict(row.causes) for row in rows) for cause, _ in one.causes}
    return {
        "more": len(more), "more_by": sum(r.difference for r in more),
        "less": len(less), "less_by": sum(r.difference for r in less),
        "same": len(rows) - len(more) - len(less),
        "causes": [(cause, amount, contracts[cause]) for cause, amount in one.causes],
        "chart": {
            "type": "bar", "horizontal": True, "currency": one.currency,
            "labels": [show.word("cause", cause) for cause, _ in one.causes],
            "datasets": [
                {
                    "label": _("Difference"),
                    "data": [str(show.exact(amount, one.currency)) for _, amount in one.causes],
                    "backgroundColor": ["#0b6e4f" if amount > 0 else "#d63939" for _, amount in one.causes],
                }
            ],
        },
    }  # fmt: skip
