"""Sellers, customers and their billing information."""

from typing import Any

from django.db import models
from django.db.models import Q

from taktura.accounts.models import PortalUser
from taktura.kit.fields import ExactField

ADMINISTRATOR, USER = "administrator", "user"
PORTAL_ROLES = (ADMINISTRATOR, USER)  # of a customer's people in the portal


def portal_default() -> list[str]:
    """What users of the portal may do where nothing else is said: see, write tickets, give notice."""
    return ["tickets", "notice"]


class Seller(models.Model):
    """Who bills. Its settings are defaults of rules (R1 to R16)."""

    name = models.CharField(max_length=200)
    street = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=50, blank=True)
    vat_id = models.CharField(max_length=20, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    registration = models.CharField(max_length=200, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    bic = models.CharField(max_length=11, blank=True)
    creditor_id = models.CharField(
        max_length=35, blank=True, default="", db_default="", help_text="by which SEPA direct debits are collected"
    )
    electronic_address = models.CharField(
        max_length=105, blank=True, default="", db_default="", help_text="scheme:id (EAS); empty: the e-mail address"
    )
    einvoice = models.CharField(
        max_length=13,
        blank=True,
        default="",
        db_default="",
        help_text="the format of businesses that have none of their own; empty: PDF alone",
    )
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=50)
    vat: Any = models.JSONField(help_text="dated rates in percent: [[from or null, rate], …]")
    prices_are = models.CharField(max_length=5, default="net")
    change_documents = models.CharField(max_length=10, default="separate")
    stacking = models.CharField(max_length=10, default="best")
    coupon_and_scale = models.CharField(max_length=10, default="coupon")
    consumer_rules = models.CharField(max_length=10, default="none")
    rate_change = models.CharField(max_length=10, default="end")
    closed_until = models.DateField(null=True, blank=True)
    payment_days = models.PositiveIntegerField(default=14)
    unattended_runs = models.BooleanField(default=False, help_text="bill what is due every morning, by itself")
    second_factor = models.BooleanField(default=False, help_text="who may bill needs one to sign in")
    portal_allows: Any = models.JSONField(default=portal_default, help_text="what the portal's users may do")
    order_page = models.BooleanField(default=False, help_text="anybody may order on the order page")
    order_approval = models.BooleanField(default=True, help_text="an order takes effect when staff approve it")
    vies = models.BooleanField(default=False, help_text="VIES is asked whether VAT ids of customers are confirmed")
    terms_url = models.URLField(max_length=500, blank=True, help_text="the terms that whoever orders accepts")
    privacy_url = models.URLField(max_length=500, blank=True)
    rate_days = models.PositiveIntegerField(default=7, db_default=7, help_text="how old an exchange rate may be")
    call_number_months = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how long telephone numbers of calls are kept in the clear; 0: for ever"
    )
    withdrawal = models.TextField(blank=True, help_text="what consumers are told of their right of withdrawal")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(prices_are__in=["net", "gross"]), name="seller_prices_are"),
            models.CheckConstraint(condition=Q(change_documents__in=["separate", "netted"]), name="seller_documents"),
            models.CheckConstraint(condition=Q(stacking__in=["best", "add", "sequence"]), name="seller_stacking"),
            models.CheckConstraint(condition=Q(coupon_and_scale__in=["coupon", "best", "both"]), name="seller_scale"),
            models.CheckConstraint(condition=Q(rate_change__in=["end", "split"]), name="seller_rate_change"),
            models.CheckConstraint(condition=Q(consumer_rules__in=["DE", "none"]), name="seller_consumer_rules"),
            models.CheckConstraint(condition=Q(einvoice__in=["", "zugferd"]), name="seller_einvoice"),
        ]


class Customer(models.Model):
    """Who is billed. `key` is the name other systems and scenarios know it by."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="customers")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, default="business")
    language = models.CharField(max_length=2, default="en")
    documents_per = models.CharField(max_length=10, default="contract")
    round_up_minutes = models.PositiveIntegerField(default=10)
    hourly_rate = ExactField(null=True, blank=True)
    head_office = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="branches",
        help_text="the customer whose branch it is",
    )  # fmt: skip
    self_managed = models.BooleanField(default=False, help_text="its people see and keep their own data in the portal")
    created_at = models.DateTimeField()
    # The read model of lists, written by the services: name and key as they are searched, and whether documents may be
    # issued (`queries.missing_billing_information`).
    folded = models.CharField(max_length=320, default="")
    complete = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="customer_key"),
            models.CheckConstraint(condition=Q(kind__in=["business", "consumer"]), name="customer_kind"),
            models.CheckConstraint(condition=Q(documents_per__in=["contract", "customer"]), name="customer_documents"),
            models.CheckConstraint(condition=Q(round_up_minutes__gte=1), name="customer_step"),
        ]
        indexes = [
            models.Index(fields=["seller", "folded", "id"], name="customer_folded"),
            models.Index(fields=["seller"], name="customer_incomplete", condition=Q(complete=False)),
        ]

    def __str__(self) -> str:
        return self.name


class BillingInformation(models.Model):
    """What a document needs to know of its recipient, a block of its own. Whether it is complete says
    `queries.missing_billing_information`."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="billing_information")
    name = models.CharField(max_length=200, blank=True)
    legal_form = models.CharField(max_length=50, blank=True)
    street = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    email = models.EmailField(blank=True)
    delivery = models.CharField(max_length=10, default="email", help_text="the way documents take")
    debtor_number = models.CharField(max_length=20, blank=True, help_text="the customer's in bookkeeping")
    tax_status = models.CharField(max_length=20, default="domestic")
    vat_id = models.CharField(max_length=20, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    payment_days = models.PositiveIntegerField(null=True, blank=True)
    direct_debit = models.BooleanField(default=False)
    mandate_reference = models.CharField(max_length=35, blank=True, help_text="of the SEPA mandate")
    mandate_date = models.DateField(null=True, blank=True, help_text="on which the mandate was signed")
    einvoice = models.CharField(
        max_length=13, blank=True, default="", db_default="", help_text="a format, or none; empty: as the seller has it"
    )
    electronic_address = models.CharField(
        max_length=105, blank=True, default="", db_default="", help_text="scheme:id (EAS); empty: the e-mail address"
    )
    buyer_reference = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="the customer's own sign, as a Leitweg-ID"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(tax_status__in=["domestic", "reverse_charge", "export", "exempt"]),
                name="billing_tax_status",
            ),
            models.CheckConstraint(condition=Q(delivery__in=["email", "post", "portal"]), name="billing_delivery"),
            models.CheckConstraint(
                condition=Q(direct_debit=False)
                | Q(mandate_date__isnull=False) & ~Q(iban="") & ~Q(mandate_reference=""),
                name="billing_direct_debit",
            ),
            models.CheckConstraint(
                condition=Q(einvoice__in=["", "none", "zugferd", "xrechnung", "xrechnung_cii", "peppol"]),
                name="billing_einvoice",
            ),
        ]


class VatCheck(models.Model):
    """That VIES was asked about a VAT id, and what it said; never changed. `identifier`: of the question, at VIES."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    vat_id = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    identifier = models.CharField(max_length=50, blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["confirmed", "refused", "unanswered"]), name="vat_check_state"
            )
        ]
        indexes = [models.Index(fields=["seller", "vat_id", "id"], name="vat_check_of")]


class PortalAccess(models.Model):
    """That somebody may see a customer in the portal: all of it as `administrator`, what colleagues need as `user`.

    Switched off: `ended_at`; the row stays for the log's sake.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="portal_access")
    user = models.ForeignKey(PortalUser, on_delete=models.PROTECT, related_name="access")
    role = models.CharField(max_length=13)
    invited_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # What people say of themselves where the customer's profile is self-managed.
    phone = models.CharField(max_length=50, blank=True)
    mobile = models.CharField(max_length=50, blank=True)
    job_title = models.CharField(max_length=100, blank=True)
    company_contact = models.BooleanField(default=False, help_text="speaks for the customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "user"], name="portal_access_once"),
            models.CheckConstraint(condition=Q(role__in=PORTAL_ROLES), name="portal_access_role"),
        ]

    @property
    def administers(self) -> bool:
        """Whether it is an administrator's."""
        return self.role == ADMINISTRATOR
