"""Forms about documents: credits, payments, mails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from taktura.core.money import Money
from taktura.invoices.models import Document, DocumentLine
from taktura.office.forms import DayField, ExactNumberField

EVERYTHING, LINES = "everything", "lines"


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A line in the form: what is left of it, and its two fields. Nothing left: no fields."""

    line: DocumentLine
    left: int
    quantity: forms.BoundField | None
    amount: forms.BoundField | None


class CreditForm(forms.Form):
    """A credit of what is left of an invoice, or of parts of its lines by quantity or amount."""

    what = forms.ChoiceField(
        label=_("What is credited"),
        choices=[(EVERYTHING, _("All that is left")), (LINES, _("Parts of it, line by line"))],
        widget=forms.RadioSelect,
        initial=EVERYTHING,
    )
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=200, help_text=_("It is printed on the credit note.")
    )
    rebill = forms.BooleanField(
        label=_("Bill it again with the next billing"),
        required=False,
        help_text=_("For what was billed wrongly and is right by then. Works for whole lines only."),
    )

    def __init__(self, *args: Any, document: Document, left: Mapping[int, int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.document, self.left = document, left
        self.lines = list(document.lines.order_by("position"))
        for line in self.lines:
            if left[line.position] > 0:
                title = {"position": line.position}
                self.fields[f"quantity_{line.position}"] = ExactNumberField(
                    label=_("Quantity of line %(position)s") % title, required=False, at_least=Decimal(0)
                )
                self.fields[f"amount_{line.position}"] = ExactNumberField(
                    label=_("Amount of line %(position)s") % title, required=False, at_least=Decimal(0)
                )

    def rows(self) -> list[CreditRow]:
        """The lines with their fields, for the template."""
        found = []
        for line in self.lines:
            left = self.left[line.position]
            names = (f"quantity_{line.position}", f"amount_{line.position}")
            quantity, amount = (self[name] if left > 0 else None for name in names)
            found.append(CreditRow(line, left, quantity, amount))
        return found

    def clean(self) -> dict[str, Any]:
        """A line is credited by quantity or by amount, and with parts at least one is."""
        data = super().clean() or {}
        if data.get("what") != LINES:
            return data
        for line in self.lines:
            named = [data.get(f"{kind}_{line.position}") for kind in ("quantity", "amount")]
            if all(value is not None for value in named):
                self.add_error(f"amount_{line.position}", _("Enter either the quantity or the amount."))
        if not self.errors and not self.wanted():
            self.add_error(None, _("Enter a quantity or an amount for at least one line."))
        return data

    def wanted(self) -> Sequence[Mapping[str, Any]] | None:
        """What the service is asked for: nothing named means all that is left."""
        if self.cleaned_data.get("what") != LINES:
            return None
        found: list[Mapping[str, Any]] = []
        for line in self.lines:
            quantity = self.cleaned_data.get(f"quantity_{line.position}")
            amount = self.cleaned_data.get(f"amount_{line.position}")
            if quantity:
                found.append({"line": line.position, "quantity": quantity})
            elif amount:
                found.append({"line": line.position, "net": amount})
        return found


class PaymentForm(forms.Form):
    """Money received for an invoice."""

    amount = ExactNumberField(label=_("Amount"))
    on = DayField(label=_("Received on"), help_text=_("As in 16.6., yesterday or -2d."))

    def __init__(self, *args: Any, today: date, open_amount: Money, currency: str, **options: Any) -> None:
        options["initial"] = {"amount": max(open_amount.exact, Decimal(0)), "on": today}
        super().__init__(*args, **options)
        self.fields["on"].today = today  # type: ignore[attr-defined]
        self.fields["amount"].label = _("Amount in %(currency)s") % {"currency": currency}
        self.fields["amount"].help_text = _("Less than 0 takes money back that was entered by mistake.")


class SendForm(forms.Form):
    """The mail that brings a document."""

    to = forms.EmailField(label=_("To"))
    subject = forms.CharField(label=_("Subject"), max_length=300)
    text = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 12}))


class PaymentsForm(forms.Form):
    """Payments of several invoices on one day: an amount for each, empty where none was received."""

    on = DayField(label=_("Received on"), help_text=_("As in 16.6., yesterday or -2d."))

    def __init__(self, *args: Any, today: date, documents: Sequence[Document], **options: Any) -> None:
        amounts = {f"amount_{d.pk}": Money(d.state.open, d.digits).exact for d in documents}
        options["initial"] = {"on": today, **amounts}
        super().__init__(*args, **options)
        self.fields["on"].today = today  # type: ignore[attr-defined]
        self.documents = documents
        for document in documents:
            self.fields[f"amount_{document.pk}"] = ExactNumberField(
                label=_("Amount of %(number)s") % {"number": document.number}, required=False
            )

    def rows(self) -> list[tuple[Document, forms.BoundField]]:
        """The invoices with their fields, for the template."""
        return [(d, self[f"amount_{d.pk}"]) for d in self.documents]

    def received(self) -> list[tuple[Document, Decimal]]:
        """The invoices for which an amount was entered."""
        found = [(d, self.cleaned_data.get(f"amount_{d.pk}")) for d in self.documents]
        return [(document, amount) for document, amount in found if amount]
