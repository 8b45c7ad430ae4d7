"""Forms of tickets."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.accounts.models import User
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.desk.attachments import MOST_BYTES, MOST_FILES, check_sizes, checked
from taktura.desk.models import PRIORITIES, STATUSES, Queue, Ticket
from taktura.desk.queries import lines_of, queues_of
from taktura.kit.mailbox.attached import MEGABYTE, Attachment
from taktura.office import show
from taktura.office.contracts.customer_field import CustomerField

MOST_TEXT = 20_000  # characters of a message


def written(customer: Customer) -> str:
    """A customer as the field for one has it."""
    return f"{customer.name} ({customer.key})"


def line_choices(customer: Customer | None) -> list[tuple[str, str]]:
    """The contract lines of a customer, those that run first, as choices of a field."""
    found = lines_of(customer.pk) if customer is not None else []
    return [("", _("None")), *((str(x.pk), name_of(x)) for x in found)]


def name_of(line: ContractLine) -> str:
    """What a contract line is called on a ticket: no price, no quantity."""
    return f"{line.contract.key}: {line.name or line.article.title or line.article.key}"


class WhereForm(forms.Form):
    """Where a ticket lies: customer and contract line, priority, queue, assignee."""

    customer = CustomerField(label=lazy("Customer"))
    line = forms.ChoiceField(label=lazy("Contract line"), required=False)
    priority = forms.ChoiceField(label=lazy("Priority"))
    queue = forms.ChoiceField(label=lazy("Queue"), required=False)
    assignee = forms.ChoiceField(label=lazy("Assignee"), required=False)

    def __init__(self, *args: Any, seller: Seller, ticket: Ticket | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["customer"].of(seller)
        fields["customer"].widget.attrs["hx-get"] = reverse("ticket_customers")
        fields["line"].widget.attrs |= {
            "hx-get": reverse("ticket_lines"), "hx-trigger": "change from:#id_customer", "hx-include": "#id_customer",
            "hx-target": "this",
        }  # fmt: skip
        fields["line"].choices = line_choices(self._customer())
        fields["priority"].choices = [(p, show.word("priority", p)) for p in reversed(PRIORITIES)]
        queues, staff = list(queues_of(seller.pk)), list(User.objects.filter(is_active=True).order_by("name", "pk"))
        if ticket is not None and ticket.queue is not None and ticket.queue not in queues:
            queues.append(ticket.queue)
        if ticket is not None and ticket.assignee is not None and ticket.assignee not in staff:
            staff.append(ticket.assignee)
        fields["queue"].choices = [("", _("None")), *((str(q.pk), q.name) for q in queues)]
        fields["assignee"].choices = [("", _("Nobody")), *((str(u.pk), str(u)) for u in staff)]

    def _customer(self) -> Customer | None:
        text = self["customer"].value()
        try:
            found: Customer | None = self.fields["customer"].clean(text)
        except forms.ValidationError:
            return None
        return found

    def where(self) -> dict[str, Any]:
        """What was chosen, in the words of the services."""
        data = self.cleaned_data
        return {
            "priority": data["priority"],
            "queue": Queue.objects.get(pk=data["queue"]) if data["queue"] else None,
            "assignee": User.objects.get(pk=data["assignee"]) if data["assignee"] else None,
            "line": _line(data["line"]),
        }


def _line(pk: str) -> ContractLine | None:
    return ContractLine.objects.select_related("contract", "article").get(pk=pk) if pk else None


class RequesterForm(forms.Form):
    """Who asks."""

    requester_name = forms.CharField(label=lazy("Requester"), max_length=200, required=False)
    requester_email = forms.EmailField(
        label=lazy("E-mail of the requester"), required=False, max_length=254,
        help_text=lazy("Answers are mailed there."),
    )  # fmt: skip


class OpenForm(RequesterForm, WhereForm):
    """A new ticket."""

    subject = forms.CharField(label=lazy("Subject"), max_length=300)
    text = forms.CharField(
        label=lazy("Text"), max_length=MOST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    by_customer = forms.BooleanField(
        label=lazy("The customer said this"), required=False, initial=True,
        help_text=lazy("Otherwise the text is a note, which only staff see."),
    )  # fmt: skip
    field_order = (
        "customer", "subject", "text", "by_customer", "requester_name", "requester_email", "priority", "queue",
        "assignee", "line",
    )  # fmt: skip


class ChangeForm(RequesterForm, WhereForm):
    """What can be changed of a ticket."""

    status = forms.ChoiceField(label=lazy("State"))
    subject = forms.CharField(label=lazy("Subject"), max_length=300)
    field_order = (
        "status", "priority", "assignee", "queue", "subject", "customer", "line", "requester_name", "requester_email",
    )  # fmt: skip

    def __init__(self, *args: Any, seller: Seller, ticket: Ticket, **options: Any) -> None:
        initial = {
            "status": ticket.status, "priority": ticket.priority, "subject": ticket.subject,
            "customer": written(ticket.customer), "queue": ticket.queue_id or "", "line": ticket.line_id or "",
            "assignee": ticket.assignee_id or "", "requester_name": ticket.requester_name,
            "requester_email": ticket.requester_email,
        }  # fmt: skip
        super().__init__(*args, seller=seller, ticket=ticket, initial=initial, **options)
        self.fields["status"].choices = [(s, show.word("ticket_state", s)) for s in STATUSES]  # type: ignore[attr-defined]

    def changes(self) -> dict[str, Any]:
        """All that the form says, in the words of the service."""
        data = self.cleaned_data
        own = ("status", "subject", "customer", "requester_name", "requester_email")
        return {**self.where(), **{name: data[name] for name in own}}


class FilesInput(forms.FileInput):
    """A choice of several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, or none. What is wrong with them says `attachments.checked`."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The files, not read yet."""
        return list(data or [])


class FilesForm(forms.Form):
    """What has files beside it; `most` says how many and how large."""

    attached = FilesField(label=lazy("Files"), required=False)
    field_order: Any = ("text", "attached")
    most: Any = lazy("At most %(most)s, together %(size)s MB.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["attached"].help_text = self.most % {"most": MOST_FILES, "size": MOST_BYTES // MEGABYTE}

    def chosen(self) -> list[Attachment]:
        """The files that were chosen. Raises `Refused` (`invalid`), before they are read where they are too large."""
        found = self.cleaned_data["attached"]
        check_sizes([one.size or 0 for one in found])
        return checked([(one.name or "", one.read()) for one in found])


class MessageForm(FilesForm):
    """An answer, or a note."""

    text = forms.CharField(
        label=lazy("Message"), max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5, "data-send": "", "aria-keyshortcuts": "Control+Enter"}),
    )  # fmt: skip
    most = lazy("At most %(most)s, together %(size)s MB. With an answer they are sent by mail.")
