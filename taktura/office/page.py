"""What every page shares: who may see it, for which seller, who acts."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from taktura.accounts.models import User
from taktura.accounts.permissions import PERMISSIONS
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now

View = Callable[..., HttpResponseBase]
OPEN = "open"  # for nobody in particular: sign-in, errors
STAFF = "staff"  # for whoever is signed in


def page(permission: str) -> Callable[[View], View]:
    """A view for users with a permission; `STAFF`: for all who are signed in; `OPEN`: for everybody.

    `OfficeMiddleware` sends strangers to the sign-in page; a test finds views without this mark.
    """
    assert permission in (OPEN, STAFF, *PERMISSIONS), permission

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            if permission not in (OPEN, STAFF) and not user_of(request).may(permission):
                raise PermissionDenied
            return view(request, *args, **options)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def may_open(user: User, address: str) -> bool:
    """Whether the mark of the page at an address lets a user in. What is no page of ours is not judged."""
    try:
        view = resolve(urlsplit(address).path).func
    except Resolver404:
        return True
    permission = getattr(view, "permission", OPEN)
    return permission not in PERMISSIONS or user.may(permission)


def user_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)


class NoSeller(Exception):
    """There is no company yet: the page needs one. The middleware leads to the page that says so."""


def seller_of(request: HttpRequest) -> Seller:
    """The seller chosen in the head of the page; else the first. Raises `NoSeller`."""
    seller: Seller | None = getattr(request, "seller", None)
    if seller is None:
        raise NoSeller
    return seller


def back_of(request: HttpRequest) -> str:
    """Where a form goes back to: its `next`, where that is an address of this office; else home."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe and target.startswith("/") else "/"


def next_of(request: HttpRequest) -> str:
    """The address of this office at which an interrupted step goes on (`?next=…`); empty where there is none."""
    target = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe and target.startswith("/") else ""


def actor_of(request: HttpRequest) -> Actor:
    """The user as the log names it, now."""
    return Actor(f"user:{user_of(request).email}", utc_now())


def zone_of(request: HttpRequest) -> str:
    """The time zone of the seller chosen; UTC before there is one."""
    seller: Seller | None = getattr(request, "seller", None)
    return seller.time_zone if seller is not None else "UTC"


def today_of(request: HttpRequest) -> Any:
    """Today's date where the seller is: what somebody who works there calls today."""
    return actor_of(request).today(zone_of(request))
