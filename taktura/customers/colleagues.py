"""What a customer's administrators do for its people in the portal. They never lock their company out: the last of them
stays one, until staff of the office say otherwise. `by`: the access of the administrator who does it."""

from typing import Any

from django.db import transaction

from taktura.core.errors import Refused
from taktura.customers import access as portal
from taktura.customers.models import Customer, PortalAccess
from taktura.kit.actor import Actor


@transaction.atomic
def invite_colleague(
    actor: Actor, *, by: PortalAccess, email: str, name: str = "", role: str, address: str
) -> PortalAccess:
    """Invite somebody to one's own customer, as `access.invite`; `address`: the portal's. Raises `Refused`."""
    customer = _hold(by)
    return portal.invite(actor, customer=customer, email=email, name=name, role=role, portal=address)


@transaction.atomic
def change_colleague(
    actor: Actor, *, by: PortalAccess, access: PortalAccess, role: str, profile: dict[str, Any] | None = None
) -> None:
    """Write the role of a colleague, or one's own, and where it is self-managed the profile.

    Raises `Refused`: `invalid`, `conflict` (the last administrator).
    """
    _own(_hold(by), access)
    if role != access.role:
        _keep_one(access)
        portal.change_role(actor, access=access, role=role)
    if profile is not None:
        portal.change_profile(actor, access=access, **profile)


@transaction.atomic
def switch_colleague_off(actor: Actor, *, by: PortalAccess, access: PortalAccess) -> None:
    """Take a colleague's access away, or one's own. Raises `Refused` (`conflict`: the last administrator)."""
    _own(_hold(by), access)
    _keep_one(access)
    portal.switch_off(actor, access=access)


@transaction.atomic
def sign_colleague_out(actor: Actor, *, by: PortalAccess, access: PortalAccess) -> int:
    """End all sessions and links of a colleague; gives how many sessions."""
    _own(_hold(by), access)
    return portal.sign_out_everywhere(actor, access=access)


def _hold(by: PortalAccess) -> Customer:
    """The customer, of which no other administrator changes people meanwhile. Raises `Refused` (`conflict`) where
    somebody else was quicker, so that `by` administers it no more."""
    customer = Customer.objects.select_for_update(of=("self",)).select_related("seller").get(pk=by.customer_id)
    if not portal.administrators_of(customer).filter(pk=by.pk).exists():
        raise Refused("conflict", "You do not administer this company any more.")
    return customer


def _own(customer: Customer, access: PortalAccess) -> None:
    assert access.customer_id == customer.pk, "pages look people up among those of the customer"


def _keep_one(access: PortalAccess) -> None:
    others = portal.administrators_of(access.customer).exclude(pk=access.pk)
    if access.administers and not others.exists():
        raise Refused(
            "conflict", "The last administrator stays one: make somebody else an administrator first, or ask us."
        )
