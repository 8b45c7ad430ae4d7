"""What happens before every page: the language, who is signed in, the seller, the second factor."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from taktura.accounts.models import User
from taktura.accounts.permissions import PERMISSIONS, may_bill
from taktura.accounts.queries import second_factors
from taktura.customers.models import Seller
from taktura.office.page import OPEN, STAFF, NoSeller

Next = Callable[[HttpRequest], HttpResponse]
SELLER = "seller"
PUBLIC = "/price-list/"  # pages for the world: the same for everybody, so that they can be kept on the way
PORTAL = "/portal/"  # customers' pages: they have users and sessions of their own, and look at no user of the office
ORDER = "/order/"  # the order page, for everybody
FREE = (
    PUBLIC,
    PORTAL,
    ORDER,
    "/api/",
    "/health",
    "/metrics",
    "/hooks/",
    "/static/",
)  # these ask for keys of their own, or for none


class LanguageMiddleware:
    """Pages speak the user's language; before sign-in the one chosen last, else the browser's."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the right language."""
        if request.path.startswith((PUBLIC, PORTAL, ORDER)):  # they know which language they speak
            return self.get_response(request)
        user = request.user
        language = user.language if isinstance(user, User) else translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
        return response


class OfficeMiddleware:
    """Pages of the office are for staff alone, for one seller at a time, and are never kept by a browser."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose the seller; the rest is said in `process_view`, when the page is known."""
        request.seller = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        if not request.path.startswith(FREE):
            add_never_cache_headers(response)
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, options: object) -> (
        HttpResponse | None
    ):  # fmt: skip
        """Send strangers to the sign-in page, and those who lack a second factor to the page that sets it up."""
        if request.path.startswith(FREE):
            return None
        user = request.user
        if isinstance(user, User):
            request.seller = _seller(request)  # type: ignore[attr-defined]
        mark = getattr(view, "permission", "")
        own = request.path.startswith("/account/")  # sign-in, and what helps to get a second factor
        if mark == OPEN or (own and (mark != STAFF or isinstance(user, User))):
            return None
        if not isinstance(user, User):
            return redirect_to_login(request.get_full_path(), reverse(settings.LOGIN_URL))
        if _lacks_second_factor(request, user):
            return redirect("second_factor_needed")
        if request.seller is None and mark in PERMISSIONS and not request.path.startswith("/settings/"):  # type: ignore[attr-defined]
            return redirect("home")  # which says that there is no company yet
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page that needs a company leads to the one that says that there is none yet."""
        return redirect("home") if isinstance(error, NoSeller) else None


def _seller(request: HttpRequest) -> Seller | None:
    sellers = {s.pk: s for s in Seller.objects.order_by("id")}
    request.sellers = list(sellers.values())  # type: ignore[attr-defined]
    chosen = sellers.get(request.session.get(SELLER, 0))
    return chosen or next(iter(sellers.values()), None)


def _lacks_second_factor(request: HttpRequest, user: User) -> bool:
    wanted = any(s.second_factor for s in request.sellers)  # type: ignore[attr-defined]  # whichever is chosen now
    return wanted and may_bill(user.role) and not second_factors([user.pk])
