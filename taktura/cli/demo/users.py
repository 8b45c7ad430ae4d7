"""Who works at the demo company: one user for each role, all with the same known password."""

from typing import Final, NamedTuple

from taktura.accounts.models import User
from taktura.accounts.services import create_user
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
EMAILS: Final = {login.role: login.email for login in LOGINS}


def make_users(actor: Actor) -> list[User]:
    """Make the users of `LOGINS`, with `PASSWORD`."""
    return [
        create_user(
            actor, email=login.email, name=login.name, role=login.role, password=PASSWORD, language=login.language
        )
        for login in LOGINS
    ]


def logins() -> list[Login]:
    """The users of `LOGINS` that there are and that may sign in: none, where the company is not the demo's."""
    there = set(User.objects.filter(email__in=EMAILS.values(), is_active=True).values_list("email", flat=True))
    return [login for login in LOGINS if login.email in there]
