"""The forms of a company's settings, one for each section."""

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from taktura.catalog import coupon_examples
from taktura.core.money import places
from taktura.customers.models import Seller
from taktura.customers.queries import rates
from taktura.customers.sellers import FIXED
from taktura.office import show
from taktura.office.customers.changes import choices, countries
from taktura.office.forms import DayField, ExactNumberField

EMPTY_ROWS = 2
MOST_RATES = 20
PLACES = ("Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/")
REMINDED = _("Fixed: documents are issued by it.")


class SectionForm(forms.Form):
    """A section of the settings; `fixed`: the settings that can change no more."""

    def __init__(self, *args: Any, seller: Seller, today: date, fixed: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seller = seller
        for name, field in self.fields.items():
            if isinstance(field, DayField):
                field.today = today
            if fixed and name in FIXED:
                field.disabled = True
                field.help_text = REMINDED

    @classmethod
    def initial_of(cls, seller: Seller) -> dict[str, Any]:
        """What stands in the form at first."""
        return {name: getattr(seller, name) for name in cls.base_fields}

    def settings(self) -> dict[str, Any]:
        """The settings as the service takes them."""
        return dict(self.cleaned_data)


class AddressForm(SectionForm):
    """Who bills."""

    name = forms.CharField(label=_("Name"), max_length=200)
    street = forms.CharField(label=_("Street and number"), max_length=200, required=False)
    postcode = forms.CharField(label=_("Postcode"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), help_text=_("Decides for whom reverse charge is possible."))
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=50, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]


class TaxForm(SectionForm):
    """How the tax office and the register know the company."""

    vat_id = forms.CharField(
        label=_("VAT id"), max_length=20, required=False, help_text=_("Printed on every document.")
    )
    tax_number = forms.CharField(
        label=_("Tax number"), max_length=40, required=False, help_text=_("Printed where there is no VAT id.")
    )
    registration = forms.CharField(
        label=_("Registration"), max_length=200, required=False,
        help_text=_("Court and number of the register, managing directors: the last line of a document."),
    )  # fmt: skip


class BankForm(SectionForm):
    """Where and until when customers pay."""

    bank_name = forms.CharField(label=_("Bank"), max_length=100, required=False)
    iban = forms.CharField(label=_("IBAN"), max_length=42, required=False)
    bic = forms.CharField(label=_("BIC"), max_length=11, required=False)
    creditor_id = forms.CharField(
        label=_("Creditor identifier"), max_length=50, required=False,
        help_text=_("For SEPA direct debit; printed on invoices that are collected so."),
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=365,
        help_text=_("Where the customer's billing information says nothing else."),
    )  # fmt: skip


class EInvoiceForm(SectionForm):
    """As what documents of businesses go out, and where e-invoices are answered."""

    einvoice = forms.ChoiceField(
        label=_("E-invoices of businesses"), required=False,
        help_text=_("Where the customer's billing information says nothing else. Consumers get a PDF alone."),
    )  # fmt: skip
    electronic_address = forms.CharField(
        label=_("Electronic address"), max_length=105, required=False,
        help_text=_("Scheme and identifier, as in 9930:DE123456789 (VAT id) or 0007:5560360793 (Swedish company)."
                    " Peppol needs it; left empty, others have the e-mail address."),
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        words = dict(choices("einvoice"))
        self.fields["einvoice"].choices = [("", words["none"]), ("zugferd", words["zugferd"])]  # type: ignore[attr-defined]


class RulesForm(SectionForm):
    """What documents and amounts follow."""

    currency = forms.CharField(
        label=_("Currency"), min_length=3, max_length=3, help_text=_("Of tariffs that name none, as in EUR or SEK.")
    )
    prices_are = forms.ChoiceField(label=_("Prices are"))
    change_documents = forms.ChoiceField(
        label=_("Documents of a change"), help_text=_("Billing runs always make both apart.")
    )
    stacking = forms.ChoiceField(label=_("Several coupons"))
    coupon_and_scale = forms.ChoiceField(label=_("Coupon and discount scale"))
    rate_change = forms.ChoiceField(label=_("A change of the VAT rate within a period"))
    consumer_rules = forms.ChoiceField(label=_("Notice by consumers"))
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Its days decide to which day usage and acts belong.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            if name in RulesForm.base_fields and isinstance(field, forms.ChoiceField) and name != "time_zone":
                field.choices = choices(name)
        for name, example in (("stacking", _stacking_example), ("coupon_and_scale", _scale_example)):
            field = self.fields[name]
            field.help_text = " ".join(str(t) for t in (example(self.seller), field.help_text) if t)
        zones = sorted(z for z in available_timezones() if z.startswith(PLACES))
        self.fields["time_zone"].choices = [(z, z.replace("_", " ")) for z in ("UTC", *zones)]  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["currency"]).upper()


def _stacking_example(seller: Seller) -> str:
    """What each way of several coupons comes to."""
    found = coupon_examples.stacking(places(seller.currency))
    first, second = coupon_examples.PERCENTS
    return gettext("A line at %(price)s with coupons of %(first)s and %(second)s. %(outcomes)s.") % {
        "price": show.price(coupon_examples.PRICE, seller.currency), "first": show.rate(first),
        "second": show.rate(second), "outcomes": _outcomes("stacking", found, seller.currency),
    }  # fmt: skip


def _scale_example(seller: Seller) -> str:
    """What each way of an ordered coupon beside a discount scale comes to."""
    found, e = coupon_examples.coupon_and_scale(places(seller.currency)), coupon_examples
    text = gettext(
        "%(quantity)s of an add-on at %(price)s each, with a discount scale of %(scale)s above %(above)s, ordered with"
        " a coupon of %(coupon)s. %(outcomes)s."
    )
    return text % {
        "quantity": show.quantity(e.QUANTITY), "price": show.price(e.UNIT_PRICE, seller.currency),
        "scale": show.rate(e.SCALE), "above": show.quantity(e.ABOVE), "coupon": show.rate(e.TAKEN),
        "outcomes": _outcomes("coupon_and_scale", found, seller.currency),
    }  # fmt: skip


def _outcomes(kind: str, found: list[coupon_examples.Outcome], currency: str) -> str:
    return "; ".join(f"{show.word(kind, o.choice)}: {show.minor(o.amount, currency)}" for o in found)


class RunsForm(SectionForm):
    """Whether runs are begun by themselves."""

    unattended_runs = forms.BooleanField(
        label=_("Bill what is due every morning, without being asked"), required=False,
        help_text=_("At six o'clock. What is left out is told on the page of the run."),
    )  # fmt: skip


class UsageForm(SectionForm):
    """What holds for usage."""

    rate_days = forms.IntegerField(
        label=_("So many days old an exchange rate may be"), min_value=1, max_value=60,
        help_text=_("On weekends and holidays none is set: then the last before holds. Without one usage waits."),
    )  # fmt: skip
    call_number_months = forms.IntegerField(
        label=_("So many months telephone numbers of calls are kept in full"), min_value=1, max_value=120,
        required=False,
        help_text=_("Then their last three digits are masked, and files of calls are emptied. No way leads back."
                    " Left empty: never."),
    )  # fmt: skip

    @classmethod
    def initial_of(cls, seller: Seller) -> dict[str, Any]:
        """Never is an empty field."""
        found = super().initial_of(seller)
        return found | {"call_number_months": found["call_number_months"] or None}

    def clean_call_number_months(self) -> int:
        """An empty field is never."""
        return int(self.cleaned_data["call_number_months"] or 0)


class OrderPageForm(SectionForm):
    """Whether anybody may order, and what is said there."""

    order_page = forms.BooleanField(
        label=_("Anybody may order public tariffs on the order page"), required=False,
        help_text=_("The page of a module has the link. An order is confirmed by a mailed link."),
    )  # fmt: skip
    order_approval = forms.BooleanField(
        label=_("An order takes effect when somebody here approves it"), required=False,
        help_text=_("Otherwise as soon as it is confirmed by the mailed link. A tariff can say otherwise."),
    )  # fmt: skip
    vies = forms.BooleanField(
        label=_("Ask VIES whether VAT ids of customers are confirmed"), required=False,
        help_text=_("In the background, of the European Commission. Nothing waits for it; no order is refused by it."),
    )  # fmt: skip
    terms_url = forms.URLField(
        label=_("Address of the terms"), max_length=500, required=False, assume_scheme="https",
        help_text=_("Whoever orders must accept them."),
    )  # fmt: skip
    privacy_url = forms.URLField(
        label=_("Address of the privacy policy"), max_length=500, required=False, assume_scheme="https"
    )
    withdrawal = forms.CharField(
        label=_("Right of withdrawal"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Shown to consumers above the button, and mailed to them."),
    )  # fmt: skip


class PortalForm(SectionForm):
    """What customers may do in the portal."""

    portal_allows = forms.MultipleChoiceField(
        label=_("Customers may"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("They always see contracts, usage and documents. Everything is shown with its money before."),
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["portal_allows"].choices = choices("portal_allows")  # type: ignore[attr-defined]


class SignInForm(SectionForm):
    """What is asked of users."""

    second_factor = forms.BooleanField(
        label=_("Ask for a second factor of everybody who may bill"), required=False,
        help_text=_("An app that shows codes, or a passkey, besides the password."),
    )  # fmt: skip


class PeriodForm(SectionForm):
    """Up to where the books are closed."""

    closed_until = DayField(
        label=_("First open day"), required=False,
        help_text=_("What lies before it is closed. Left empty: nothing is closed."),
    )  # fmt: skip


class VatForm(SectionForm):
    """Dated rates: one for the beginning, then one for each change. A row without a rate is left out."""

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, today=today, **options)
        stored = rates(self.seller.vat) or ()
        sent = [n for n in self.data if n.startswith("rate_")] if self.is_bound else []
        for row in range(min(MOST_RATES, max(len(stored) + EMPTY_ROWS, len(sent)))):
            start, rate = stored[row] if row < len(stored) else (None, None)
            first = row == 0
            day = DayField(label=_("From"), required=False, initial=None if start == date.min else start)
            day.today, day.disabled = today, first
            self.fields[f"from_{row}"] = day
            self.fields[f"rate_{row}"] = ExactNumberField(label=_("Rate in percent"), required=first, initial=rate)

    @classmethod
    def initial_of(cls, seller: Seller) -> dict[str, Any]:
        """The fields have theirs."""
        return {}

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The rows, for the template."""
        return [(self[f"from_{n}"], self[f"rate_{n}"]) for n in range(len(self.fields) // 2)]

    def clean(self) -> dict[str, Any]:
        """Every rate but the first has its day."""
        for row in range(1, len(self.fields) // 2):
            day, rate = self.cleaned_data.get(f"from_{row}"), self.cleaned_data.get(f"rate_{row}")
            if rate is not None and day is None and f"from_{row}" not in self.errors:
                self.add_error(f"from_{row}", _("From which day on?"))
            if day is not None and rate is None and f"rate_{row}" not in self.errors:
                self.add_error(f"rate_{row}", _("Which rate?"))
        return self.cleaned_data

    def settings(self) -> dict[str, Any]:
        """The rates in the form in which they are stored."""
        pairs = [
            (self.cleaned_data.get(f"from_{row}") if row else None, self.cleaned_data.get(f"rate_{row}"))
            for row in range(len(self.fields) // 2)
        ]
        return {"vat": [[day, rate] for day, rate in pairs if rate is not None]}


def rate_spans(vat: Any) -> list[dict[str, Any]]:
    """Rates with the days for which they hold, for a table."""
    found = rates(vat) or ()
    ends = [start for start, _rate in found[1:]] + [None]
    return [
        {"start": None if start == date.min else start, "end": end, "rate": show.rate(rate)}
        for (start, rate), end in zip(found, ends, strict=True)
    ]
