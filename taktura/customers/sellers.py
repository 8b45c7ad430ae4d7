"""What a seller's settings may be. Nothing is written here."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from taktura.core.errors import Refused
from taktura.customers import creditor, iban, vat_id
from taktura.customers.addresses import check_electronic_address, check_email
from taktura.customers.models import Seller
from taktura.einvoice import ZUGFERD
from taktura.kit.exact import number

SELLER_FIELDS = (
    "name", "street", "postcode", "city", "country", "email", "phone", "vat_id", "tax_number", "registration",
    "bank_name", "iban", "bic", "creditor_id", "currency", "time_zone", "vat", "prices_are", "change_documents",
    "stacking", "coupon_and_scale", "consumer_rules", "rate_change", "payment_days", "unattended_runs", "second_factor",
    "portal_allows", "order_page", "order_approval", "vies", "terms_url", "privacy_url", "withdrawal",
    "rate_days", "call_number_months", "electronic_address", "einvoice",
)  # fmt: skip
# From these follows what a charge must be: once something is billed by them they stay.
FIXED = ("currency", "prices_are", "stacking", "coupon_and_scale", "rate_change")
WORDS = {
    "prices_are": ("net", "gross"),
    "change_documents": ("separate", "netted"),
    "stacking": ("best", "add", "sequence"),
    "coupon_and_scale": ("coupon", "best", "both"),
    "consumer_rules": ("DE", "none"),
    "rate_change": ("end", "split"),
    "einvoice": ("", ZUGFERD),
}
PORTAL_ALLOWS = ("tickets", "book", "quantity", "notice", "data")  # what the portal's users may be allowed
MOST_DAYS = 365
MOST_RATE_DAYS = 60
MOST_MONTHS = 120
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")

MOST_WITHDRAWAL = 10_000  # characters

Rates = list[list[Any]]  # [[from or None, rate], …]


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a seller as they are stored. Raises `Refused` (`invalid`), naming the field."""
    unknown = set(fields) - set(SELLER_FIELDS)
    if unknown:
        raise Refused("invalid", "A company has no setting “%(field)s”.", field=sorted(unknown)[0])
    values = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    for name in ("vat_id", "iban", "bic", "creditor_id"):
        if values.get(name):
            values[name] = vat_id.normal(values[name]) if name == "vat_id" else iban.normal(values[name])
    if "name" in values and not values["name"]:
        raise Refused("invalid", "A company has a name.", field="name")
    _check_codes(values)
    _check_words(values)
    _check_portal(values)
    _check_order_page(values)
    if "vat" in values:
        values["vat"] = checked_rates(values["vat"])
    return values


def _check_order_page(values: dict[str, Any]) -> None:
    for name in ("terms_url", "privacy_url"):
        if values.get(name):
            try:
                URLValidator(schemes=["https", "http"])(values[name])
            except ValidationError as error:
                raise Refused("invalid", "“%(value)s” is no address of a page: it begins with https://.",
                              value=values[name][:200], field=name) from error  # fmt: skip
    if len(values.get("withdrawal", "")) > MOST_WITHDRAWAL:
        raise Refused("invalid", "This text has at most %(most)s characters.", most=MOST_WITHDRAWAL,
                      field="withdrawal")  # fmt: skip


def _check_codes(values: dict[str, Any]) -> None:
    if "country" in values and not re.fullmatch(r"[A-Z]{2}", values["country"]):
        raise Refused("invalid", "“%(value)s” is no country: write its two letters.", field="country",
                      value=values["country"])  # fmt: skip
    if "currency" in values:
        _check_currency(str(values["currency"]))
    if "time_zone" in values:
        try:
            ZoneInfo(values["time_zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise Refused(
                "invalid", "There is no time zone “%(name)s”: write it as in Europe/Berlin.",
                name=values["time_zone"], field="time_zone",
            ) from error  # fmt: skip
    check_email(values.get("email") or "")
    check_electronic_address(values.get("electronic_address") or "")
    if values.get("iban") and not iban.is_valid(values["iban"]):
        raise Refused("invalid", "“%(value)s” is no IBAN: compare it digit by digit.", value=values["iban"],
                      field="iban")  # fmt: skip
    if values.get("bic") and not _BIC.fullmatch(values["bic"]):
        raise Refused("invalid", "“%(value)s” is no BIC: it has 8 or 11 letters and digits.", value=values["bic"],
                      field="bic")  # fmt: skip
    if values.get("creditor_id") and not creditor.is_valid(values["creditor_id"]):
        raise Refused("invalid", "“%(value)s” is no creditor identifier: compare it sign by sign.",
                      value=values["creditor_id"][:50], field="creditor_id")  # fmt: skip
    given = values.get("vat_id", "")
    if given and vat_id.country_of(given) in vat_id.EU and not vat_id.is_valid(given):
        raise Refused("invalid", "“%(value)s” is no VAT id: compare it digit by digit.", value=given, field="vat_id")


def _check_currency(currency: str) -> None:
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise Refused(
            "invalid", "“%(currency)s” is no currency: write its three letters.", currency=currency, field="currency"
        )


def _check_words(values: dict[str, Any]) -> None:
    for name, known in WORDS.items():
        if name in values and values[name] not in known:
            raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=values[name],
                          known=", ".join(known), field=name)  # fmt: skip
    days = values.get("payment_days", 0)
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MOST_DAYS:
        raise Refused("invalid", "Days to pay are a whole number from 0 to %(most)s.", most=MOST_DAYS,
                      field="payment_days")  # fmt: skip
    for name, least, most in (("rate_days", 1, MOST_RATE_DAYS), ("call_number_months", 0, MOST_MONTHS)):
        old = values.get(name, least)
        if isinstance(old, bool) or not isinstance(old, int) or not least <= old <= most:
            raise Refused("invalid", "“%(value)s” is no whole number from %(least)s to %(most)s.", value=old,
                          least=least, most=most, field=name)  # fmt: skip
    for name in ("unattended_runs", "second_factor"):
        if not isinstance(values.get(name, False), bool):
            raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=values[name], known="true, false",
                          field=name)  # fmt: skip


def _check_portal(values: dict[str, Any]) -> None:
    if "portal_allows" not in values:
        return
    given = values["portal_allows"]
    if not isinstance(given, list | tuple):
        given = [given]
    for word in given:
        if word not in PORTAL_ALLOWS:
            raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=word,
                          known=", ".join(PORTAL_ALLOWS), field="portal_allows")  # fmt: skip
    values["portal_allows"] = [word for word in PORTAL_ALLOWS if word in given]


def checked_rates(rates: Sequence[Sequence[Any]]) -> Rates:
    """Dated VAT rates in percent, in the order of their days; the first holds from the beginning."""
    found: dict[date, Decimal] = {}
    for start, rate in rates:
        day = date.min if start is None else start if isinstance(start, date) else date.fromisoformat(str(start))
        value = number(rate, "vat")
        if not 0 <= value <= 100:
            raise Refused("invalid", "“%(rate)s” is no VAT rate: write 0 to 100 percent.", rate=rate, field="vat")
        if day in found:
            raise Refused("invalid", "Two VAT rates begin on the same day.", field="vat")
        found[day] = value
    if date.min not in found:
        raise Refused("invalid", "One VAT rate holds from the beginning: leave its day empty.", field="vat")
    return [[None if day == date.min else day.isoformat(), f"{found[day]:f}"] for day in sorted(found)]


def changed(seller: Seller, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the seller's already."""
    return {name: value for name, value in values.items() if getattr(seller, name) != value}
