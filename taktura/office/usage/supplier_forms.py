"""The form of a supplier: its settings, and the mapping of its files as a field for each column."""

import base64
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.core.errors import Refused
from taktura.office import show
from taktura.usage.models import Supplier
from taktura.usage.reader import COLUMNS, NUMBERS_OF_CALLS, READY, Mapping, beginning

SAMPLE_BYTES = 30_000  # of an example file that a form carries along
SETTINGS = (
    "delimiter", "encoding", "decimal", "date_format", "skip_lines", "null_texts", "sheet", "headings", "skip_rows",
    "attributes", "numbers", "number_repeats", "discount_is", "discount_of",
)  # fmt: skip
SAMPLE_ROWS = 60  # of a workbook or of Parquet, as text
COLUMN_LABELS = {
    "id": lazy("Id of the row"),
    "customer_id": lazy("Customer: reference"),
    "customer_name": lazy("Customer: name"),
    "subscription_id": lazy("Supplier subscription: reference (needed)"),
    "subscription_name": lazy("Supplier subscription: name"),
    "subscription_description": lazy("Supplier subscription: description"),
    "subscription_start": lazy("Supplier subscription: start"),
    "subscription_end": lazy("Supplier subscription: last day"),
    "product_id": lazy("Product: reference"),
    "product_name": lazy("Product: name"),
    "unit": lazy("Unit"),
    "quantity": lazy("Quantity"),
    "period_start": lazy("Day or start of the period (needed)"),
    "period_end": lazy("End of the period (a date: its last day)"),
    "cost": lazy("Cost of one"),
    "cost_amount": lazy("Cost in all"),
    "price": lazy("Price of one"),
    "amount": lazy("Price in all"),
    "discount": lazy("Discount"),
    "currency": lazy("Currency"),
    "revision": lazy("Revision"),
    "seconds": lazy("Seconds that a call was answered"),
    "call_id": lazy("Id of the call (its legs count once)"),
}


class SupplierForm(forms.Form):
    """A supplier. `sample` carries the beginning of an example file along, so that its rows can be shown."""

    says_what_is_missing = True  # nearly all may be left out

    name = forms.CharField(label=lazy("Name"), max_length=200)
    key = forms.CharField(
        label=lazy("Key"), max_length=90, help_text=lazy("Its records are known by it. It cannot change.")
    )
    currency = forms.CharField(
        label=lazy("Currency"), max_length=3, min_length=3, help_text=lazy("Of rows that name none.")
    )
    time_zone = forms.CharField(
        label=lazy("Time zone"), max_length=50, widget=forms.TextInput(attrs={"list": "zones"}),
        help_text=lazy("Of times without one, as in Europe/Berlin or UTC."),
    )  # fmt: skip
    create_customers = forms.BooleanField(
        label=lazy("Note the customers that its files name"), required=False,
        help_text=lazy("For overview, and so that contract lines are proposed."),
    )  # fmt: skip
    create_subscriptions = forms.BooleanField(
        label=lazy("Note the supplier subscriptions that its files name"), required=False,
        help_text=lazy("Usage is billed by them, so this is what one wants."),
    )  # fmt: skip
    unit_price_from_import = forms.BooleanField(
        label=lazy("Bill its usage at the price that its files give"), required=False,
        help_text=lazy("Whatever the tariffs say."),
    )  # fmt: skip
    folder = forms.CharField(
        label=lazy("Watched folder"), required=False, max_length=100,
        help_text=lazy("Its name below the folder that the operator has set up; files there are loaded by themselves."),
    )  # fmt: skip
    contact = forms.CharField(
        label=lazy("Contact"), required=False, max_length=200,
        help_text=lazy("Whom one asks about its files and invoices."),
    )  # fmt: skip
    email = forms.EmailField(label=lazy("E-mail"), required=False, max_length=200)
    phone = forms.CharField(
        label=lazy("Phone"), required=False, max_length=50, widget=forms.TextInput(attrs={"type": "tel"})
    )
    delimiter = forms.ChoiceField(label=lazy("Delimiter"), required=False)
    encoding = forms.ChoiceField(label=lazy("Encoding"), required=False)
    decimal = forms.ChoiceField(label=lazy("Decimal sign"), required=False)
    date_format = forms.CharField(
        label=lazy("Date format"), required=False, max_length=200,
        help_text=lazy("As in %d.%m.%Y; several with | between. Left empty: 2026-06-30."),
    )  # fmt: skip
    skip_lines = forms.IntegerField(
        label=lazy("Lines before the headings"), required=False, min_value=0, max_value=1000
    )
    null_texts = forms.CharField(
        label=lazy("Texts that mean nothing"), required=False, max_length=200,
        help_text=lazy("With commas between. Left empty: NULL."),
    )  # fmt: skip
    sheet = forms.CharField(
        label=lazy("Worksheet"), required=False, max_length=100, help_text=lazy("Left empty: the first with rows.")
    )
    headings = forms.CharField(
        label=lazy("Headings"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("Of files that have none, with commas between."),
    )  # fmt: skip
    skip_rows = forms.CharField(
        label=lazy("Rows to be left out"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("A condition on each line, as in Quantity = 0."),
    )  # fmt: skip
    attributes = forms.CharField(
        label=lazy("Free attributes"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("A name and a heading on each line, as in region: RegionId."),
    )  # fmt: skip
    numbers = forms.CharField(
        label=lazy("Attributes that are telephone numbers"), required=False, max_length=1_000,
        help_text=lazy("With commas between; without it caller and called. They are masked as the settings say."),
    )  # fmt: skip
    number_repeats = forms.BooleanField(
        label=lazy("Equal rows of a file are several"), required=False,
        help_text=lazy("For suppliers that give rows no id."),
    )  # fmt: skip
    discount_is = forms.ChoiceField(
        label=lazy("The discount of a row is"), required=False,
        help_text=lazy("It is taken off once, where an amount is worked out from quantity and unit price."),
    )  # fmt: skip
    discount_of = forms.ChoiceField(label=lazy("The discount is off"), required=False)
    ready = forms.ChoiceField(label=lazy("Ready mapping"), required=False)
    sample = forms.CharField(required=False, max_length=50_000, widget=forms.HiddenInput)
    sample_name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        for column in COLUMNS:
            self.fields[f"column_{column}"] = forms.CharField(
                label=COLUMN_LABELS[column], required=False, max_length=1_000,
                widget=forms.TextInput(attrs={"list": "headings", "placeholder": column, "autocomplete": "off"}),
            )  # fmt: skip
        choices: dict[str, Any] = {
            "delimiter": [("", _("found out")), (",", ","), (";", ";"), ("tab", _("tab")), ("|", "|")],
            "encoding": [("", _("found out")), ("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
            "decimal": [("", _("point")), (",", _("comma"))],
            "discount_is": [("", _("a percentage")), ("amount", _("money off the row"))],
            "discount_of": [
                ("", _("the price, else the cost")), ("price", _("the price alone")),
                ("cost", _("the cost alone")), ("both", _("price and cost")),
            ],
            "ready": [("", _("by the example")), *((name, show.word("ready", name)) for name in READY)],
        }  # fmt: skip
        for name, known in choices.items():
            given = self.initial.get(name, "")
            extra = [(given, given)] if given and given not in {v for v, _word in known} else []
            self.fields[name].choices = known + extra  # type: ignore[attr-defined]
        if not is_new:
            del self.fields["key"]

    def clean_currency(self) -> str:
        """Its three letters."""
        return str(self.cleaned_data["currency"]).upper()

    def clean_time_zone(self) -> str:
        """A known time zone."""
        name = str(self.cleaned_data["time_zone"])
        if name not in available_timezones():
            text = _("There is no time zone “%(name)s”: write it as in Europe/Berlin.")
            raise forms.ValidationError(text % {"name": name})
        return name

    def clean(self) -> dict[str, Any]:
        """The form with its mapping under `mapping`."""
        values: dict[str, Any] = super().clean() or {}
        mapping = mapping_of(values)
        try:
            Mapping.from_dict(mapping)
        except Refused as refused:
            about_date = "date_format" in mapping and "date" in refused.text
            self.add_error("date_format" if about_date else None, show.refusal(refused))
        values["mapping"] = mapping
        return values

    def settings(self) -> Iterator[Any]:
        """The fields that say what the supplier is."""
        names = ("name", "key", "currency", "time_zone", "create_customers", "create_subscriptions")
        more = ("unit_price_from_import", "folder", "contact", "email", "phone")
        yield from (self[n] for n in (*names, *more) if n in self.fields)

    def written(self) -> Iterator[Any]:
        """The fields that say how its files are written."""
        yield from (self[n] for n in SETTINGS)

    def columns(self) -> Iterator[Any]:
        """The fields of the columns."""
        yield from (self[f"column_{c}"] for c in COLUMNS)

    def supplier_fields(self) -> dict[str, Any]:
        """What the services take."""
        left_out = {"sample", "sample_name", "ready", *SETTINGS}
        return {k: v for k, v in self.cleaned_data.items() if k not in left_out and not k.startswith("column_")}

    def sample_bytes(self) -> bytes:
        """The example file's beginning, as far as the form carries it."""
        try:
            return base64.b64decode(str(self["sample"].value() or ""), validate=True)
        except ValueError:
            return b""


def mapping_of(values: dict[str, Any]) -> dict[str, Any]:
    """The mapping that a form's values say, without what is as it would be anyway."""
    found: dict[str, Any] = {}
    for column in COLUMNS:
        heading = (values.get(f"column_{column}") or "").strip()
        if heading and heading != column:
            found[column] = heading
    for name in ("delimiter", "encoding", "decimal", "date_format", "skip_lines", "discount_is", "discount_of"):
        if values.get(name):
            found[name] = values[name]
    if values.get("sheet"):
        found["sheet"] = values["sheet"].strip()
    if headings := [text.strip() for text in (values.get("headings") or "").split(",") if text.strip()]:
        found["headings"] = headings
    if conditions := [text.strip() for text in (values.get("skip_rows") or "").splitlines() if text.strip()]:
        found["skip_rows"] = conditions
    pairs = [line.partition(":") for line in (values.get("attributes") or "").splitlines() if line.strip()]
    if pairs:
        found["attributes"] = {name.strip(): source.strip() for name, _sign, source in pairs}
    numbers = tuple(text.strip() for text in (values.get("numbers") or "").split(",") if text.strip())
    if numbers and numbers != NUMBERS_OF_CALLS:
        found["numbers"] = list(numbers)
    if values.get("number_repeats") in (True, "on", "true", "1"):
        found["number_repeats"] = True
    nulls = [text.strip() for text in (values.get("null_texts") or "").split(",") if text.strip()]
    if nulls and nulls != ["NULL"]:
        found["null_texts"] = nulls
    return found


def initial_of(supplier: Supplier) -> dict[str, Any]:
    """A supplier as the form shows it."""
    names = (
        "name", "currency", "time_zone", "create_customers", "create_subscriptions", "unit_price_from_import",
        "folder", "contact", "email", "phone",
    )  # fmt: skip
    return {n: getattr(supplier, n) for n in names} | mapping_initial(supplier.mapping)


def mapping_initial(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping as the form shows it."""
    known = Mapping.from_dict(mapping)
    found: dict[str, Any] = {f"column_{column}": heading for column, heading in known.columns.items()}
    return found | {
        "delimiter": "tab" if known.delimiter == "\t" else known.delimiter or "",
        "encoding": known.encoding or "",
        "decimal": "" if known.decimal == "." else known.decimal,
        "date_format": known.date_format or "",
        "skip_lines": known.skip_lines or None,
        "sheet": known.sheet or "",
        "headings": ", ".join(known.headings),
        "skip_rows": "\n".join(known.skip_rows),
        "attributes": "\n".join(f"{name}: {source}" for name, source in known.attributes.items()),
        "numbers": "" if known.numbers == NUMBERS_OF_CALLS else ", ".join(known.numbers),
        "number_repeats": known.number_repeats,
        "discount_is": "" if known.discount_is == "percent" else known.discount_is,
        "discount_of": known.discount_of or "",
        "null_texts": "" if known.null_texts == ("NULL",) else ", ".join(known.null_texts),
    }


def as_sample(data: bytes) -> str:
    """The beginning of a file, of whole lines, as a form carries it: unpacked, and as CSV what is no text. Raises
    `Refused` (`invalid`) for what cannot be read."""
    start = beginning(data, SAMPLE_BYTES, SAMPLE_ROWS)
    if len(start) == SAMPLE_BYTES:
        start = start[: start.rfind(b"\n") + 1] or start
    return base64.b64encode(start).decode()
