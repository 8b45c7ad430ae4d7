"""Who works at the demo company: one user for each role, all with the same known password."""

from typing import Final, NamedTuple

from django.contrib.auth.hashers import make_password

from taktura.accounts.models import PortalUser, User
from taktura.accounts.services import create_user
from taktura.customers import access
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor

PASSWORD: Final = "sonnenruf-demo-2026"  # noqa: S105 it is printed for whoever tries the demo


class Login(NamedTuple):
    """A user of the demo; `language` is that of the pages."""

    role: str
    email: str
    name: str
    language: str


LOGINS: Final = (
    Login("admin", "admin@sonnenruf.example", "Hanna Petersen", "de"),
    Login("billing", "clerk@sonnenruf.example", "Jan-Ole Överbeck", "de"),
    Login("sales", "sales@sonnenruf.example", "Maja Lindgren", "sv"),
    Login("lead", "lead@sonnenruf.example", "Oliver Grant", "en"),
    Login("technician", "technician@sonnenruf.example", "Priya Nair", "en"),
    Login("viewer", "viewer@sonnenruf.example", "Tom Whitfield", "en"),
)
PORTAL_CUSTOMER, PORTAL_EMAIL = "altland", "einkauf@altland.example"
EMAILS: Final = {login.role: login.email for login in LOGINS}


def make_users(actor: Actor) -> list[User]:
    """Make the users of `LOGINS`, with `PASSWORD`."""
    return [
        create_user(
            actor, email=login.email, name=login.name, role=login.role, password=PASSWORD, language=login.language
        )
        for login in LOGINS
    ]


def make_portal_user(actor: Actor, seller: Seller) -> PortalUser:
    """Let `PORTAL_EMAIL` in to the portal, for one customer, with `PASSWORD`."""
    customer = Customer.objects.get(seller=seller, key=PORTAL_CUSTOMER)
    user = access.invite(
        actor, customer=customer, email=PORTAL_EMAIL, name="Gesine Altland", portal="http://localhost:8000/portal"
    ).user
    user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def portal_login() -> str:
    """The address of the demo's user of the portal; empty where there is none."""
    found = PortalUser.objects.filter(email=PORTAL_EMAIL, is_active=True).exists()
    return PORTAL_EMAIL if found else ""


def logins() -> list[Login]:
    """The users of `LOGINS` that there are and that may sign in: none, where the company is not the demo's."""
    there = set(User.objects.filter(email__in=EMAILS.values(), is_active=True).values_list("email", flat=True))
    return [login for login in LOGINS if login.email in there]
