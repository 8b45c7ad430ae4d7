"""What a company does once, before its first document: each step, whether it is done, and where it is done."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.accounts.models import User
from taktura.catalog.models import Tariff
from taktura.contracts.models import Contract
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import KINDS, DocumentState, NumberSeries
from taktura.kit.mail.services import server_of


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is, why, where it is done; `url` is empty where the user may not."""

    label: str
    text: str
    done: bool
    url: str


def first_steps(seller: Seller, user: User) -> list[Step]:
    """The steps in their order; none once a document is issued. A fixed number of queries."""
    if DocumentState.objects.filter(seller=seller).exists():
        return []
    confirmed = NumberSeries.objects.filter(seller=seller, confirmed=True).count()

    def step(label: str, text: str, done: bool, permission: str, name: str, *args: str) -> Step:
        return Step(label, text, done, reverse(name, args=args) if user.may(permission) else "")

    return [
        step(_("VAT id or tax number"), _("An invoice needs one of them."), bool(seller.vat_id or seller.tax_number),
             "settings.change", "company_change", "tax"),
        step(_("Bank account"), _("So that customers know where to pay."), bool(seller.iban),
             "settings.change", "company_change", "bank"),
        step(_("Numbers of documents"), _("How they look, and which comes first. They have no gaps from then on."),
             confirmed == len(KINDS), "settings.view", "numbering"),
        step(_("Mail server"), _("Until there is one, mails are kept in the outbox and not sent."),
             server_of(f"seller:{seller.pk}") is not None, "settings.view", "mail"),
        step(_("Tariff"), _("What you offer, line by line, with prices."),
             Tariff.objects.filter(seller=seller).exists(), "tariffs.change", "tariff_new"),
        step(_("Customer"), _("Who is billed, with billing information."),
             Customer.objects.filter(seller=seller).exists(), "customers.change", "customer_new"),
        step(_("Contract"), _("It binds a customer to a tariff from a day on."),
             Contract.objects.filter(seller=seller).exists(), "contracts.change", "sign_contract"),
        step(_("First billing run"), _("Look at the preview, then issue."), False, "billing.run", "billing"),
    ]  # fmt: skip
