"""Forms of worked time."""

import re
from datetime import date
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.accounts.models import User
from taktura.customers.models import Seller
from taktura.desk.models import Activity
from taktura.office import show
from taktura.office.contracts.customer_field import CustomerField
from taktura.office.forms import DayField

HOURS = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
MINUTES = re.compile(r"[0-9]{1,4}")


class MinutesField(forms.CharField):
    """Whole minutes, typed as minutes ("90") or as hours and minutes ("1:30"). Gives an `int`."""

    def clean(self, value: Any) -> Any:
        """The minutes."""
        text = str(super().clean(value) or "").replace(" ", "")
        if not text:
            return None
        if found := HOURS.fullmatch(text):
            return int(found[1]) * 60 + int(found[2])
        if MINUTES.fullmatch(text):
            return int(text)
        raise forms.ValidationError(_("“%(text)s” is no time: type minutes (90) or hours (1:30).") % {"text": text})

    def prepare_value(self, value: Any) -> Any:
        """Minutes as hours and minutes."""
        return show.hours(value) if isinstance(value, int) else value


class TimeForm(forms.Form):
    """Time that somebody worked."""

    minutes = MinutesField(
        label=lazy("Time"), max_length=10, help_text=lazy("Minutes (90) or hours and minutes (1:30)."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
    )  # fmt: skip
    worked_on = DayField(label=lazy("Worked on"))
    activity = forms.ChoiceField(label=lazy("Activity"), required=False)
    billable = forms.ChoiceField(label=lazy("Billable"), required=False)
    note = forms.CharField(label=lazy("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    user = forms.ChoiceField(label=lazy("Worked by"), required=False)

    def __init__(self, *args: Any, seller: Seller, today: date, kept: Activity | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["worked_on"].today = today
        self.activities = {a.pk: a for a in Activity.objects.filter(seller=seller).order_by("name")}
        self.users = {u.pk: u for u in User.objects.order_by("name", "pk")}
        offered = [a for a in self.activities.values() if a.active or a == kept]
        fields["activity"].choices = [("", _("Without")), *((str(a.pk), a.name) for a in offered)]
        by_itself = [] if kept is not None or "billable" in self.initial else [("", _("As the activity says"))]
        fields["billable"].choices = [*by_itself, ("yes", _("Yes")), ("no", _("No"))]
        working = [u for u in self.users.values() if u.is_active or str(u.pk) == str(self.initial.get("user"))]
        nobody = [("", show.NONE)] if self.initial.get("user") == "" else []
        fields["user"].choices = [*nobody, *((str(u.pk), u.name or u.email) for u in working)]

    def values(self) -> dict[str, Any]:
        """The fields as the services take them."""
        data = self.cleaned_data
        return {
            "minutes": data["minutes"], "worked_on": data["worked_on"], "note": " ".join(data["note"].split()),
            "billable": {"yes": True, "no": False}.get(data["billable"]),
            "activity": self.activities[int(data["activity"])] if data["activity"] else None,
            "user": self.users[int(data["user"])] if data["user"] else None,
        }  # fmt: skip


class PlaceForm(TimeForm):
    """Time that is logged, on a ticket by its number or for a customer."""

    ticket = forms.IntegerField(
        label=lazy("Number of the ticket"), required=False, min_value=1, max_value=2**31 - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    customer = CustomerField(
        label=lazy("Customer"), required=False, help_text=lazy("Where the time belongs to no ticket.")
    )
    field_order = ("ticket", "customer")

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, seller=seller, **options)
        of_customer: Any = self.fields["customer"]
        of_customer.of(seller)
        of_customer.widget.attrs["hx-get"] = reverse("ticket_customers")

    def clean(self) -> dict[str, Any]:
        """That it is said where the time belongs."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not data.get("ticket") and not data.get("customer"):
            self.add_error("ticket", _("Say for which ticket or which customer the time was worked."))
        return data
