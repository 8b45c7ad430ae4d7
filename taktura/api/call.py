"""Who calls, for which seller, in which language: what every endpoint needs to know."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from taktura.accounts.models import ApiKey
from taktura.api.problems import Fault, language_of
from taktura.customers.models import Seller
from taktura.kit.actor import Actor

SELLER_HEADER = "Taktura-Seller"


@dataclass
class Call:
    """A request by a key that may do what it asks for."""

    request: HttpRequest
    key: ApiKey
    actor: Actor

    @cached_property
    def seller(self) -> Seller:
        """The only seller, or the one named in the header. Raises `Fault`."""
        named = self.request.headers.get(SELLER_HEADER)
        found = list(Seller.objects.order_by("id")[:2] if named is None else _named(named))
        if named is None and len(found) > 1:
            raise Fault("choose_seller", code="invalid")
        if not found:
            raise Fault("no_seller", code="not_found", seller=named or "")
        return found[0]

    @property
    def today(self) -> date:
        """The day where the seller is."""
        return self.actor.today(self.seller.time_zone)

    def instant(self, value: date | datetime | None) -> datetime | None:
        """A moment; a day begins where the seller is."""
        if value is None or isinstance(value, datetime):
            return value
        return datetime.combine(value, time(), ZoneInfo(self.seller.time_zone)).astimezone(UTC)

    @property
    def language(self) -> str:
        """The language of refusals."""
        return language_of(self.request)


def _named(text: str) -> list[Seller]:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return []
    return list(Seller.objects.filter(pk=int(text)))


def call_of(request: HttpRequest) -> Call:
    """The call that the gate has let in."""
    call: Call = request.auth  # type: ignore[attr-defined]
    return call
