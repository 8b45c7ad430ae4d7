"""Forms of included hours."""

import re
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.billing.services import following_month
from taktura.core.periods import DAY
from taktura.customers.models import Seller
from taktura.desk.models import Activity, Allowance
from taktura.office import show
from taktura.office.forms import DayField

HOURS = re.compile(r"([0-9]{1,5})(?::([0-5][0-9]))?")
OFFERED = 12  # months from which hours can be changed


class HoursField(forms.CharField):
    """Hours ("20") or hours and minutes ("7:30"). Gives whole minutes as an `int`."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"})
        super().__init__(**{"max_length": 10, "widget": widget, **options})

    def clean(self, value: Any) -> Any:
        """The minutes."""
        text = str(super().clean(value) or "").replace(" ", "")
        if not text:
            return None
        found = HOURS.fullmatch(text)
        if found is None:
            text = _("“%(text)s” is no time: type hours (20) or hours and minutes (7:30).") % {"text": text}
            raise forms.ValidationError(text)
        return int(found[1]) * 60 + int(found[2] or 0)

    def prepare_value(self, value: Any) -> Any:
        """Minutes as hours and minutes."""
        return show.hours(value) if isinstance(value, int) else value


class _Agreed(forms.Form):
    """What new and changed hours have in common."""

    title = forms.CharField(
        label=lazy("Title"), max_length=200, help_text=lazy("As in the agreement, such as “Support, 2 hours a month”.")
    )
    minutes = HoursField(label=lazy("Hours"), help_text=lazy("Hours (20) or hours and minutes (7:30)."))
    kept = forms.BooleanField(
        label=lazy("What is left of a month goes on into the next"), required=False,
        help_text=lazy("Otherwise it is dropped at the end of each month. A block lasts until it is used up."),
    )  # fmt: skip
    activities = forms.MultipleChoiceField(
        label=lazy("Only for these activities"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=lazy("None chosen: work of every kind draws, that without an activity too."),
    )  # fmt: skip

    def offer(self, seller: Seller, kept: set[int]) -> None:
        """Set the activities; of those out of use only what was chosen before."""
        self.known = {a.pk: a for a in Activity.objects.filter(seller=seller).order_by("name")}
        offered = [a for a in self.known.values() if a.active or a.pk in kept]
        self.fields["activities"].choices = [(str(a.pk), a.name) for a in offered]  # type: ignore[attr-defined]
        if not offered:
            del self.fields["activities"]

    def agreed(self) -> dict[str, Any]:
        """The fields as the services take them."""
        data = self.cleaned_data
        return {
            "title": data["title"], "minutes": data["minutes"], "kept": data["kept"],
            "activities": [self.known[int(pk)] for pk in data.get("activities", ())],
        }  # fmt: skip


class HoursForm(_Agreed):
    """New included hours."""

    kind = forms.ChoiceField(
        label=lazy("Kind"), widget=forms.RadioSelect,
        choices=[("monthly", lazy("So much each month")), ("block", lazy("A block, until it is used up"))],
    )  # fmt: skip
    start = DayField(
        label=lazy("From"), help_text=lazy("Work from this day on draws, unless it is billed. Months count from it.")
    )
    last = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: they go on."))
    field_order = ("title", "kind", "minutes", "start", "last", "kept", "activities")

    def __init__(self, *args: Any, seller: Seller, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("start", "last"):
            self.fields[name].today = today  # type: ignore[attr-defined]
        self.offer(seller, set())

    def values(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        data = self.cleaned_data
        end = data["last"] + DAY if data["last"] else None
        return {**self.agreed(), "kind": data["kind"], "start": data["start"], "end": end}


class ChangeForm(_Agreed):
    """Monthly hours as they are from one of their months on."""

    start = forms.ChoiceField(label=lazy("From"))
    field_order = ("start", "title", "minutes", "kept", "activities")

    def __init__(self, data: Any = None, *, hours: Allowance, today: date, left: int | None) -> None:
        chosen = {a.pk for a in hours.activities.all()}
        initial = {
            "title": hours.title, "minutes": hours.minutes, "kept": hours.kept, "activities": [str(a) for a in chosen]
        }  # fmt: skip
        super().__init__(data, initial=initial)
        self.offer(hours.customer.seller, chosen)
        first = following_month(hours, max(hours.start, today.replace(day=1)))
        days = [first]
        while len(days) < OFFERED:
            days.append(following_month(hours, days[-1] + DAY))
        days = [d for d in days if hours.end is None or d < hours.end]
        fields: dict[str, Any] = self.fields
        fields["start"].initial = following_month(hours, max(hours.start, today)).isoformat()
        fields["start"].choices = [(d.isoformat(), show.day(d)) for d in days]
        if left and hours.kept:
            fields["start"].help_text = _(
                "A rest that is kept ends with the old hours: %(left)s are left of it today."
            ) % {"left": show.hours(left)}  # fmt: skip

    def values(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        return {**self.agreed(), "start": date.fromisoformat(self.cleaned_data["start"])}


class EndForm(forms.Form):
    """The last day of included hours."""

    last = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: they go on."))

    def __init__(self, *args: Any, today: date, left: int | None, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["last"].today = today
        if left:
            text = _("%(left)s are left today; what is left on the last day is dropped. What they have borne stays.")
            fields["last"].help_text = f"{fields['last'].help_text} {text % {'left': show.hours(left)}}"
