"""Writes of control: looking at usage that has arrived, and what people say to alerts. No price is changed (R19.2)."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from taktura.accounts.permissions import ROLES
from taktura.audit.acts import act, keep_facts
from taktura.audit.services import record, record_all
from taktura.control.flat_prices import stale, sum_anew
from taktura.control.mailing import mail_alerts
from taktura.control.models import Alert, AlertRecipients
from taktura.control.telling import told
from taktura.control.watching import STANDING, look, look_at_flat_prices
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.marks import take_marks

MOST_ADDRESSES = 20
BATCH = 500  # contracts whose facts are loaded at once


def watch(actor: Actor) -> list[Alert]:
    """Look at all contracts whose usage has changed since the last look, and raise and resolve their alerts (R19).

    Batch by batch, each in one transaction in which facts stand still; one that fails leaves its marks. Gives the
    alerts that were raised, in the order of signing.
    """
    raised: list[Alert] = []
    while True:
        with transaction.atomic():
            keep_facts()
            marks = take_marks(BATCH)
            if not marks:
                return raised
            outcome = look(actor, marks)
            mail_alerts(actor, outcome.raised)
            record_all(actor, told(outcome))
        raised += outcome.raised


def keep_flat_prices(actor: Actor, *, seller: Seller) -> int:
    """Look at the flat prices whose periods have begun or ended without usage; gives how many contracts."""
    number = 0
    for marks in stale(actor, seller, BATCH):
        with transaction.atomic():
            keep_facts()
            look_at_flat_prices(actor, marks)
        number += len(marks)
    with transaction.atomic():
        sum_anew(seller.pk, actor.today(seller.time_zone))
    return number


@act
def ignore(actor: Actor, *, seller: Seller, alerts: Iterable[int], until: date | None) -> int:
    """Let alerts rest until a day (None: for good), on which they are open again; gives how many.

    Those that are resolved are left alone. Raises `Refused` (`invalid`) for a day that is not to come.
    """
    if until is not None and until <= actor.today(seller.time_zone):
        raise Refused("invalid", "Choose a day to come, or none.")
    found = Alert.objects.filter(seller=seller, pk__in=list(alerts), state__in=STANDING)
    return _say(actor, found, "ignore_alert", "ignored", until)


@act
def reopen(actor: Actor, *, seller: Seller, alerts: Iterable[int]) -> int:
    """Open ignored alerts again; gives how many. Others are left alone."""
    found = Alert.objects.filter(seller=seller, pk__in=list(alerts), state="ignored")
    return _say(actor, found, "reopen_alert", "open", None)


@act
def set_alert_recipients(actor: Actor, *, seller: Seller, addresses: Sequence[str], roles: Sequence[str]) -> None:
    """Say to whom new alerts are mailed: addresses, and all users of some roles; nobody where both are empty.

    Raises `Refused` (`invalid`): an address that is none, too many of them, an unknown role.
    """
    clean = list(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    for address in clean:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Refused("invalid", "“%(email)s” is no e-mail address.", email=address) from error
    if len(clean) > MOST_ADDRESSES:
        raise Refused("invalid", "At most %(count)s addresses.", count=MOST_ADDRESSES)
    for role in roles:
        if role not in ROLES:
            raise Refused("invalid", "There is no role “%(role)s”.", role=role)
    chosen = [role for role in ROLES if role in set(roles)]
    AlertRecipients.objects.update_or_create(seller=seller, defaults={"addresses": clean, "roles": chosen})
    record(actor, "set_alert_recipients", f"seller:{seller.pk}", {"addresses": clean, "roles": chosen})


def _say(actor: Actor, found: QuerySet[Alert], action: str, state: str, until: date | None) -> int:
    rows = list(found.order_by("id").values_list("pk", "contract_id"))
    Alert.objects.filter(pk__in=[pk for pk, _ in rows]).update(state=state, ignored_until=until, changed_at=actor.now)
    said = {"until": until} if until else {}
    record_all(actor, [(action, f"contract:{contract}", {"alert": pk} | said) for pk, contract in rows])
    return len(rows)
