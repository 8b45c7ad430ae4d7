"""The navigation at the left: what a user may see, in the same order everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from taktura.accounts.models import User
from taktura.billing.todo import FEW


@dataclass(frozen=True, slots=True)
class Section:
    """A place in the navigation. `count`: how much is to be done there, as it is shown; empty for nothing."""

    label: str
    url: str
    icon: str
    active: bool
    count: str = ""


# name of the page, label, icon, permissions of which one is enough, beginning of the addresses that belong to it
SECTIONS = [
    ("home", _("Home"), "home", (), "/"),
    ("customers", _("Customers"), "users", ("customers.view",), "/customers/"),
    ("contracts", _("Contracts"), "file-text", ("contracts.view",), "/contracts/"),
    ("orders", _("Orders"), "basket", ("contracts.view",), "/orders/"),
    ("tariffs", _("Tariffs"), "tags", ("tariffs.view",), "/tariffs/"),
    ("usage", _("Usage"), "activity", ("usage.view",), "/usage/"),
    ("billing", _("Billing"), "receipt", ("billing.view",), "/billing/"),
    ("documents", _("Documents"), "files", ("documents.view",), "/documents/"),
    ("desk", _("Service desk"), "headset", ("desk.view",), "/desk/"),
    ("time", _("Time"), "clock", ("desk.view",), "/time/"),
    ("control", _("Control"), "bell", ("control.view",), "/control/"),
    ("reports", _("Reports"), "chart-bar", ("desk.view",), "/reports/"),
    ("settings", _("Settings"), "settings", ("settings.view", "jobs.view", "log.view"), "/settings/"),
]


def sections(user: User, path: str, counted: Mapping[str, int]) -> list[Section]:
    """The sections that a user may open; the one in which the page at `path` lies is active. `counted`: what is to be
    done, by the name of the section."""
    found = []
    for name, label, icon, permissions, start in SECTIONS:
        if not permissions or any(user.may(p) for p in permissions):
            active = path == "/" if start == "/" else path.startswith(start)
            found.append(Section(str(label), reverse(name), icon, active, _shown(counted.get(name, 0))))
    return found


def _shown(number: int) -> str:
    if number >= FEW:
        return f"{FEW - 1}+"
    return str(number) if number else ""
