"""What the frame of every page shows."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from taktura.accounts.models import User
from taktura.billing.todo import counters
from taktura.control.queries import OPEN
from taktura.office.navigation import sections
from taktura.office.page import today_of
from taktura.office.work.views import works_for


def office(request: HttpRequest) -> dict[str, Any]:
    """The navigation, the sellers, the theme. Nothing for strangers."""
    user = getattr(request, "user", None)
    theme = user.theme if isinstance(user, User) else request.COOKIES.get("taktura_theme", "auto")
    if not isinstance(user, User):
        return {"theme": theme}
    seller = getattr(request, "seller", None)
    works: Any = SimpleLazyObject(lambda: works_for(user, seller) if seller else [])  # only where a page shows them
    return {
        "tray": works,
        "tray_open": SimpleLazyObject(lambda: any(work.is_open for work in works)),
        "theme": theme,
        "navigation": SimpleLazyObject(lambda: sections(user, request.path, _counted(request, seller))),
        "search_url": reverse("search") if seller else "",
        "seller": seller,
        "sellers": getattr(request, "sellers", []),
    }


def _counted(request: HttpRequest, seller: Any) -> dict[str, int]:
    """What the navigation counts, by section."""
    if seller is None:
        return {}
    found = counters(seller.pk, today_of(request), {"alerts": OPEN})
    return {
        "usage": found["waiting"], "billing": found["due"], "control": found["alerts"], "orders": found["orders"],
        "time": found["time"],
    }  # fmt: skip
