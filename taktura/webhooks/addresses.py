"""Where a webhook may go. What a name stands for is asked once, checked, and that very address is connected to."""

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings

from taktura.core.errors import Refused

LONGEST = 2000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(Exception):
    """An address of one's own network, or of nobody."""


def check_url(url: str) -> None:
    """Raise `Refused` (`invalid`, field `url`) unless an address can be one of a webhook: HTTPS, a host, not private.

    What the host's name stands for is looked at when an event is sent, each time. With `TAKTURA_PRIVATE_WEBHOOKS` also
    HTTP and private addresses may be.
    """
    private = settings.WEBHOOKS_TO_PRIVATE_ADDRESSES
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _no_address(url) from error
    strange = any(not sign.isascii() or not sign.isprintable() or sign in ' \\"<>^`{|}' for sign in url)
    schemes = ("https", "http") if private else ("https",)
    if len(url) > LONGEST or strange or not host or port == 0 or parts.scheme not in ("https", "http"):
        raise _no_address(url)
    if parts.scheme not in schemes:
        raise Refused("invalid", "The address of a webhook begins with https://.", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refused(
            "invalid", "An address with a user, a password or a # is not taken: events are signed.", field="url"
        )
    literal = _literal(host)
    local = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if not private and (local or literal is not None and not is_public(literal)):
        raise Refused(
            "invalid", "The address lies in a private network: webhooks go to public addresses only.", field="url"
        )


def _no_address(url: str) -> Refused:
    return Refused("invalid", "“%(url)s” is no address of the web.", url=url[:100], field="url")


def resolve(host: str, port: int) -> list[str]:
    """The addresses that a host's name stands for, all of them allowed.

    Raises `OSError` when there is none, `NotAllowed` when one of them is private and that is not wanted.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        for text in addresses:
            if not is_public(ipaddress.ip_address(text.partition("%")[0])):
                raise NotAllowed(text)
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address is of the open internet; also that which an IPv6 address carries within it."""
    if isinstance(address, ipaddress.IPv6Address):
        for within in _carried(address):
            if not is_public(within):
                return False
        if address in _COMPATIBLE or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _carried(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [within for within in found if within is not None]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
