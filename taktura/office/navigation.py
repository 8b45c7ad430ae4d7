"""The navigation at the left: what a user may see, in the same order everywhere."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from taktura.accounts.models import User


@dataclass(frozen=True, slots=True)
class Section:
    """A place in the navigation. `permissions`: any of them opens it."""

    label: str
    url: str
    icon: str
    active: bool


# name of the page, label, icon, permissions of which one is enough, beginning of the addresses that belong to it
SECTIONS = [
    ("home", _("Home"), "home", (), "/"),
    ("customers", _("Customers"), "users", ("customers.view",), "/customers/"),
    ("contracts", _("Contracts"), "file-text", ("contracts.view",), "/contracts/"),
    ("tariffs", _("Tariffs"), "tags", ("tariffs.view",), "/tariffs/"),
    ("billing", _("Billing"), "receipt", ("billing.view",), "/billing/"),
    ("documents", _("Documents"), "files", ("documents.view",), "/documents/"),
    ("settings", _("Settings"), "settings", ("settings.view", "jobs.view", "log.view"), "/settings/"),
]


def sections(user: User, path: str) -> list[Section]:
    """The sections that a user may open; the one in which the page at `path` lies is active."""
    found = []
    for name, label, icon, permissions, start in SECTIONS:
        if not permissions or any(user.may(p) for p in permissions):
            active = path == "/" if start == "/" else path.startswith(start)
            found.append(Section(str(label), reverse(name), icon, active))
    return found
