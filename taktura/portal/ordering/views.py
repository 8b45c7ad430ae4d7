"""The order page: what a module offers, ordering one of its tariffs, and confirming that by the mailed link.

A price is never worked out here: it is the preview of the contract that the order would make. Only what was shown is
ordered: where the price has changed meanwhile, it is shown again."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from taktura.billing import services as billing
from taktura.billing.services import Wish
from taktura.catalog.models import Tariff, TariffVersion
from taktura.catalog.modules import modules_of
from taktura.catalog.price_list import price_list
from taktura.catalog.titles import in_language
from taktura.core.errors import Refused
from taktura.core.terms import parse_terms
from taktura.customers.models import Seller
from taktura.invoices.agreed import notice_of
from taktura.invoices.price_lists import sheet_of
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.office import show
from taktura.office.contracts.consequence import shown
from taktura.office.forms import add_refusal
from taktura.office.tariffs.public import asker, buckets
from taktura.portal.ordering import stamp
from taktura.portal.ordering.forms import OrderForm, basis_of, lines_of, offered
from taktura.portal.ordering.page import order_page, seller_of

METHODS = ["GET", "HEAD", "POST"]
ACTOR = "button:order"
FOR = "for"  # in addresses: whose prices are shown, `consumer` or `business`
HIGHLIGHTS = 6  # lines of a tariff on the page of its module, where none is marked


@order_page
@require_safe
def module(request: HttpRequest, seller: int, module: str) -> HttpResponse:
    """The public tariffs of a module in their order; an offer number leads to another one."""
    if wait := buckets().take(asker(request)):
        return _wait(wait)
    found = seller_of(seller, module)
    row = modules_of(found.pk).select_related("seller").filter(key=module).first()
    if row is None:
        raise Http404
    number = request.GET.get("offer_number", "").strip()[:40].replace("/", "")
    if number and "\0" not in number:
        asked = urlencode({"language": show.language(), FOR: _kind(request)})
        return redirect(f"{reverse('order_offer', args=[found.pk, number])}?{asked}")
    today = Actor(ACTOR, utc_now()).today(found.time_zone)
    sheet = sheet_of(price_list(row, language=show.language(), on=today, basis=basis_of(_kind(request))))
    offers = [(offer, [r for r in offer.rows if r.highlight] or offer.rows[:HIGHLIGHTS]) for offer in sheet.offers]
    return _render(request, "order/module.html", found, sheet=sheet, offers=offers, module=row, title=sheet.title,
                   kind=_kind(request))  # fmt: skip


@order_page
@require_http_methods(METHODS)
def tariff(request: HttpRequest, seller: int, module: str, tariff: str) -> HttpResponse:
    """Order a public tariff."""
    found = seller_of(seller, module, tariff)
    wanted, version = offered(Actor(ACTOR, utc_now()), found, tariff, "")
    if wanted.module is None or wanted.module.key != module:
        raise Http404
    return _order(request, found, wanted, version, "")


@order_page
@require_http_methods(METHODS)
def offer(request: HttpRequest, seller: int, number: str) -> HttpResponse:
    """Order by an offer number, in the version that it pins."""
    found = seller_of(seller, number)
    wanted, version = offered(Actor(ACTOR, utc_now()), found, "", number)
    return _order(request, found, wanted, version, number)


@order_page
@require_http_methods(METHODS)
def confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """What the mailed link leads to: what it comes to by now, and a button, so that a program that looks into mails
    confirms nothing."""
    actor = Actor(ACTOR, utc_now())
    try:
        order = billing.order_of(secret, actor)
    except Refused:
        return render(request, "order/error.html", {"over": True}, status=410)
    figures, mark = _figures(actor, billing.wish_of(order))
    moved = request.method == "POST" and order.state == "unconfirmed" and request.POST.get("seen", "") != mark
    if request.method == "POST" and not moved:
        order = billing.confirm_order(actor, secret=secret)
    title = in_language(order.version.title, order.version.titles, show.language())
    return _render(
        request, "order/confirm.html", order.seller, order=order, shown=figures, mark=mark, moved=moved, title=title
    )


def _order(
    request: HttpRequest, seller: Seller, tariff: Tariff, version: TariffVersion, offer_number: str
) -> HttpResponse:
    if wait := buckets().take(asker(request)):
        return _wait(wait)
    actor = Actor(ACTOR, utc_now())
    sent = request.method == "POST"
    kind = _kind(request)
    lines = lines_of(tariff, version, basis_of(kind), actor.today(seller.time_zone))
    form = OrderForm(request.POST if sent else None, seller=seller, offer=lines.choices, kind=kind)
    mark = stamp.read(request, actor.now.timestamp()) if sent else stamp.new(actor.now.timestamp())
    ordering = request.POST.get("action") == "order"
    status, figures, seen = 200, None, ""
    complete = sent and form.is_valid()
    wish = form.wish(tariff, offer_number) if sent else _plain(tariff, offer_number, seller, kind)
    if not any(name in form.errors for name in ("code", *(choice.name for choice in form.offer))):
        try:
            figures, seen = _looked(actor, wish)
            if ordering and complete:
                answer = _place(request, form, wish, mark, seen)
                if answer is not None:
                    return answer
        except Refused as refused:
            add_refusal(form, refused, {"coupon": "code"})
    if ordering:
        status = 422
    context = {
        "form": form, "stamp": mark.text, "trap": stamp.TRAP, "shown": figures, "seen": seen, "quiet": not ordering,
        "tariff": tariff, "title": in_language(version.title, version.titles, show.language()),
        "included": lines.included, "basis": basis_of(kind), "kind": kind,
        "notice": notice_of(parse_terms(version.notice)),
        "trial": version.trial, "consumer": wish.kind != "business",
    }  # fmt: skip
    fragment = request.headers.get("HX-Request") == "true"
    template = "order/part.html" if fragment else "order/order.html"
    return _render(request, template, seller, status=status, **context)


def _place(request: HttpRequest, form: OrderForm, wish: Wish, mark: stamp.Stamp, seen: str) -> HttpResponse | None:
    """Place an order that is filled in; None: it says in the form why not. Raises `Refused`."""
    if request.POST.get(stamp.TRAP) or not mark.good:
        form.add_error(None, _("Please look at your order once more, then send it again."))
        return None
    if request.POST.get("seen", "") != seen:
        form.add_error(None, _("The price is another one by now: look at it, then order."))
        return None
    if not stamp.take(request, wish.email):
        form.add_error(None, _("There were too many orders. Wait an hour, then try again, or write to us."))
        return None
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    kept = billing.place_order(
        Actor(ACTOR, utc_now()), wish=wish, token=mark.token, asker=str(get_adapter().get_client_ip(request)),
        seen=seen, address=f"{base}{reverse('order_confirm', args=['x']).removesuffix('x/')}",
    )  # fmt: skip
    return _render(request, "order/sent.html", kept.seller, order=kept, title=_("Please confirm your order"))


def _plain(tariff: Tariff, offer_number: str, seller: Seller, kind: str) -> Wish:
    """What the form wants before anything is filled in."""
    return Wish(tariff=tariff, offer_number=offer_number or None, kind=kind, country=seller.country)


def _kind(request: HttpRequest) -> str:
    """For whom prices are shown before somebody says who orders: consumers, unless the address says otherwise."""
    said = request.POST.get("kind", "") if request.method == "POST" else request.GET.get(FOR, "")
    return "business" if said == "business" else "consumer"


def _looked(actor: Actor, wish: Wish) -> tuple[Any, str]:
    found = billing.look_at(actor, wish=wish)
    today = actor.today(wish.tariff.seller.time_zone)
    return shown(found, wish.tariff.currency, today), billing.mark_of(billing.shown_prices(found))


def _figures(actor: Actor, wish: Wish) -> tuple[Any, str]:
    """What an order comes to by now; nothing where it cannot be ordered any more: staff see to it then."""
    try:
        return _looked(actor, wish)
    except Refused:
        return None, ""


def _render(request: HttpRequest, template: str, seller: Seller, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"seller": seller, "ending": seller.consumer_rules == "DE", **more}
    return render(request, template, context, status=status)


def _wait(seconds: int) -> HttpResponse:
    return HttpResponse(status=429, headers={"Retry-After": str(seconds)})
