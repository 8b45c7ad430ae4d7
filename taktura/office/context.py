"""What the frame of every page shows."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from taktura.accounts.models import User
from taktura.office.navigation import sections


def office(request: HttpRequest) -> dict[str, Any]:
    """The navigation, the sellers, the theme. Nothing for strangers."""
    user = getattr(request, "user", None)
    theme = user.theme if isinstance(user, User) else request.COOKIES.get("taktura_theme", "auto")
    if not isinstance(user, User):
        return {"theme": theme}
    return {
        "theme": theme,
        "navigation": sections(user, request.path),
        "search_url": reverse("search") if getattr(request, "seller", None) else "",
        "seller": getattr(request, "seller", None),
        "sellers": getattr(request, "sellers", []),
    }
