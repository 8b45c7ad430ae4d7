"""What the frame of every page shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from taktura.accounts.models import User
from taktura.billing.todo import counters
from taktura.control.queries import OPEN
from taktura.desk.models import RunningTime
from taktura.desk.queries import timer_of
from taktura.desk.services import seconds_of
from taktura.office.navigation import sections
from taktura.office.page import actor_of, today_of
from taktura.office.work.views import works_for


@dataclass(frozen=True, slots=True)
class Running:
    """A timer, and the seconds that it has counted until now."""

    row: RunningTime
    seconds: int


def office(request: HttpRequest) -> dict[str, Any]:
    """The navigation, the sellers, the theme. Nothing for strangers."""
    user = getattr(request, "user", None)
    theme = user.theme if isinstance(user, User) else request.COOKIES.get("taktura_theme", "auto")
    if not isinstance(user, User):
        return {"theme": theme}
    seller = getattr(request, "seller", None)
    counted: Any = SimpleLazyObject(lambda: _counted(request, user, seller))
    timer: Any = SimpleLazyObject(lambda: _running(request, user) if counted.get("timer") else None)
    works: Any = SimpleLazyObject(lambda: works_for(user, seller) if seller else [])  # only where a page shows them
    return {
        "timer": timer,
        "tray": works,
        "tray_open": SimpleLazyObject(lambda: any(work.is_open for work in works)),
        "theme": theme,
        "navigation": SimpleLazyObject(lambda: sections(user, request.path, counted)),
        "search_url": reverse("search") if seller else "",
        "seller": seller,
        "sellers": getattr(request, "sellers", []),
    }


def _counted(request: HttpRequest, user: User, seller: Any) -> dict[str, int]:
    """What the navigation counts, by section; and whether the user has a timer, so that no page asks by itself."""
    if seller is None:
        return {}
    found = counters(seller.pk, today_of(request), {"alerts": OPEN, "timer": _timer(user)})
    return {
        "usage": found["waiting"], "billing": found["due"], "control": found["alerts"], "orders": found["orders"],
        "time": found["time"], "timer": found["timer"],
    }  # fmt: skip


def _running(request: HttpRequest, user: User) -> Running | None:
    found = timer_of(user.pk)
    return Running(found, seconds_of(actor_of(request), found)) if found else None


def _timer(user: User) -> str:
    """How many timers a user has, as a query like those of `counters`; none where they may log no time."""
    return f"FROM desk_runningtime WHERE user_id = {user.pk if user.may('desk.change') else 0}"
