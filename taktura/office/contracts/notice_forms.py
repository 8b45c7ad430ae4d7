"""The forms of notice and its withdrawal, both confirmed to the customer by mail if that is wished."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.contracts.models import Contract, ContractLine
from taktura.office.contracts.forms import ChangeForm, line_choices
from taktura.office.forms import DayField

WHOLE = "0"  # notice of the contract, not of one line


class ConfirmedForm(ChangeForm):
    """Something that is confirmed to the customer by mail, where an address is known."""

    confirm = forms.BooleanField(label=lazy("Mail a confirmation to the customer"), required=False, initial=True)

    def prepare(self) -> None:
        info = getattr(self.contract.customer, "billing_information", None)
        if info is None or not info.email:
            del self.fields["confirm"]
        else:
            self.fields["confirm"].help_text = info.email


class NoticeForm(ConfirmedForm):
    """Notice of the contract, or of one line."""

    TODAY = ("received",)
    line = forms.ChoiceField(label=lazy("Of"))
    received = DayField(label=lazy("Received on"))
    wish = DayField(
        label=lazy("Wished last day"), required=False,
        help_text=lazy("It moves to the next day on which the contract can end."),
    )  # fmt: skip

    field_order = ("line", "received", "wish", "confirm")

    def prepare(self) -> None:
        super().prepare()
        self.choose("line", [(WHOLE, _("the whole contract")), *line_choices(self.contract, self.today)])

    def clean_line(self) -> ContractLine | None:
        """The line, or None for the contract."""
        return line_or_contract(self.contract, self.cleaned_data["line"])


def line_or_contract(contract: Contract, chosen: str) -> ContractLine | None:
    """The line that was chosen, or None for the contract."""
    if chosen in ("", WHOLE):
        return None
    line: ContractLine = ContractLine.objects.select_related("article").get(pk=chosen, contract=contract)
    line.contract = contract
    return line


class WithdrawForm(ConfirmedForm):
    """Which notice is taken back: that of the contract, or of one line."""

    line = forms.ChoiceField(label=lazy("Of"), required=False)

    field_order = ("line", "confirm")

    def prepare(self) -> None:
        super().prepare()
        rows = ContractLine.objects.filter(contract=self.contract, notice_received__isnull=False)
        given = set(map(str, rows.values_list("pk", flat=True)))
        whole = [(WHOLE, _("the whole contract"))] if self.contract.notice_received else []
        lines = [(pk, title) for pk, title in line_choices(self.contract, self.today) if pk in given]
        self.choose("line", whole + lines)

    def clean_line(self) -> ContractLine | None:
        """The line, or None for the contract."""
        return line_or_contract(self.contract, self.cleaned_data["line"])
