"""Service levels: when the desk works, and within how much of that time tickets are answered and solved."""

import re
from datetime import date
from typing import Any

from babel.dates import get_day_names
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.core.business import DAY, Span
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.models import PRIORITIES, Holiday, OpeningHours, ServiceTarget
from taktura.invoices.rendering.formats import LOCALES
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of
from taktura.office.typed import read_day

WEEKDAYS = range(7)
CLOCK = re.compile(r"([0-9]{1,2})(?:[:.]([0-5][0-9]))?")
DASH = re.compile(r"\s*[-–—]\s*")  # noqa: RUF001 - all dashes that people type
HOURS = re.compile(r"([0-9]{1,4}):([0-5][0-9])")
MOST_HOLIDAYS = 30_000  # characters
TOKENS = 3  # words that a day may have: 24 Dec 2026


class SpansField(forms.CharField):
    """The hours of a day, as typed: "8–12, 13:00–17:30". Gives spans of minutes."""

    def clean(self, value: Any) -> Any:
        """The spans in their order; none: closed."""
        text = str(super().clean(value) or "").strip()
        found: list[Span] = []
        for part in (p.strip() for p in text.split(",")) if text else ():
            ends = [_minute(one) for one in DASH.split(part)]
            if len(ends) != 2 or None in ends or ends[0] >= ends[1]:  # type: ignore[operator]
                raise forms.ValidationError(
                    _("“%(text)s” is no time of a day: type it as in 8:00–12:00, 13:00–17:00.") % {"text": part}
                )
            found.append((ends[0], ends[1]))  # type: ignore[arg-type]
        return sorted(found)


class TargetField(forms.CharField):
    """Business time, typed as hours and minutes ("4:00") or as minutes ("30"). Gives minutes."""

    def clean(self, value: Any) -> Any:
        """The minutes; none: nothing is promised."""
        text = str(super().clean(value) or "").replace(" ", "")
        if not text:
            return None
        if found := HOURS.fullmatch(text):
            return int(found[1]) * 60 + int(found[2])
        if re.fullmatch("[0-9]{1,5}", text):
            return int(text)
        raise forms.ValidationError(_("“%(text)s” is no time: type hours (4:00) or minutes (30).") % {"text": text})

    def prepare_value(self, value: Any) -> Any:
        """Minutes as hours and minutes."""
        return show.hours(value) if isinstance(value, int) else value


class HolidaysField(forms.CharField):
    """Days and their names, one on each line. Gives names by day."""

    def clean(self, value: Any) -> Any:
        """The days."""
        found: dict[date, str] = {}
        for line in str(super().clean(value) or "").splitlines():
            words = line.split()
            if not words:
                continue
            days = ((n, read_day(" ".join(words[:n]), show.language(), None)) for n in range(TOKENS, 0, -1))
            length, day = next(((n, d) for n, d in days if d is not None), (0, None))
            if day is None:
                raise forms.ValidationError(
                    _("“%(text)s” does not begin with a day: type it with its year, as in %(example)s.")
                    % {"text": line.strip(), "example": show.day(date(2026, 12, 24))}
                )
            found[day] = " ".join(words[length:])
        return found


class LevelsForm(forms.Form):
    """Hours of each weekday, holidays, targets of each priority."""

    def __init__(self, data: Any, *, seller: Seller) -> None:
        super().__init__(data, initial=_stored(seller))
        self.says_what_is_missing = True
        for day, name in weekdays():
            self.fields[f"day_{day}"] = SpansField(label=name, max_length=200, required=False)
        self.fields["holidays"] = HolidaysField(
            label=_("Holidays"), max_length=MOST_HOLIDAYS, required=False,
            widget=forms.Textarea(attrs={"rows": 6}),
            help_text=_("One on each line, as in %(example)s.")
            % {"example": f"{show.day(date(2026, 12, 25))} {_('Christmas Day')}"},
        )  # fmt: skip
        for priority in reversed(PRIORITIES):
            word = show.word("priority", priority)
            self.fields[f"answer_{priority}"] = TargetField(
                label=_("%(priority)s: first answer within") % {"priority": word}, max_length=10, required=False
            )
            self.fields[f"solve_{priority}"] = TargetField(
                label=_("%(priority)s: solved within") % {"priority": word}, max_length=10, required=False
            )

    def days(self) -> list[forms.BoundField]:
        """The fields of weekdays."""
        return [self[f"day_{day}"] for day in WEEKDAYS]

    def targets(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The fields of targets, by priority."""
        return [(self[f"answer_{p}"], self[f"solve_{p}"]) for p in reversed(PRIORITIES)]

    def levels(self) -> dict[str, Any]:
        """What was typed, in the words of the service."""
        data = self.cleaned_data
        return {
            "hours": {day: data[f"day_{day}"] for day in WEEKDAYS if data[f"day_{day}"]},
            "holidays": data["holidays"],
            "targets": {p: (data[f"answer_{p}"], data[f"solve_{p}"]) for p in PRIORITIES},
        }


def weekdays() -> list[tuple[int, str]]:
    """The days of a week, from Monday on."""
    names = get_day_names("wide", "stand-alone", locale=LOCALES[show.language()])
    return [(day, str(names[day]).capitalize()) for day in WEEKDAYS]


@page("settings.view")
def levels(request: HttpRequest) -> HttpResponse:
    """What is promised, and when the desk works."""
    stored, seller = _stored(seller_of(request)), seller_of(request)
    targets = {row.priority: row for row in ServiceTarget.objects.filter(seller=seller)}
    context = {
        "days": [(name, stored.get(f"day_{day}", "")) for day, name in weekdays()],
        "always": not any(name.startswith("day_") for name in stored),
        "holidays": Holiday.objects.filter(seller=seller),
        "targets": [(p, targets[p]) for p in reversed(PRIORITIES) if p in targets],
        "zone": seller.time_zone,
    }
    return render(request, "settings/levels.html", context)


@page("settings.change")
def change(request: HttpRequest) -> HttpResponse:
    """Change it; tickets that are not solved follow at once."""
    seller = seller_of(request)
    form = LevelsForm(request.POST if request.method == "POST" else None, seller=seller)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_service_levels(actor_of(request), seller=seller, **form.levels())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. Tickets that are not solved follow it."))
            return redirect("service_levels")
    context = {
        "form": form, "title": _("Change service levels"), "parent": _("Service levels"), "seen": shown,
        "back": reverse("service_levels"),
    }  # fmt: skip
    return render(request, "settings/levels_change.html", context, status=422 if form.errors else 200)


def _stored(seller: Seller) -> dict[str, Any]:
    """What is stored, as the form shows it."""
    found: dict[str, Any] = {}
    for row in OpeningHours.objects.filter(seller=seller):
        name, span = f"day_{row.weekday}", f"{_clock(row.start)}–{_clock(row.end)}"
        found[name] = f"{found[name]}, {span}" if name in found else span
    rows = Holiday.objects.filter(seller=seller)
    found["holidays"] = "\n".join(f"{show.day(row.day)} {row.name}".strip() for row in rows)
    for target in ServiceTarget.objects.filter(seller=seller):
        found |= {f"answer_{target.priority}": target.answer, f"solve_{target.priority}": target.solve}
    return found


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def _minute(text: str) -> int | None:
    found = CLOCK.fullmatch(text.strip())
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else DAY + 1
    return minute if minute <= DAY else None
