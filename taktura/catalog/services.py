"""Writes of the catalog. A version is never edited: a change makes another one with a date (R16.3)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Article, Coupon, Tariff, TariffLine, TariffVersion
from taktura.catalog.terms import clean_line, line_terms, tariff_terms, version_fields
from taktura.core.errors import Refused
from taktura.core.money import plain
from taktura.core.offer import check_tariff
from taktura.core.periods import parse_span
from taktura.core.terms import parse_terms
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import decimal, number, to_json

TARIFF_FIELDS = frozenset(
    [
        "title",
        "module",
        "public",
        "offer_number",
        "interval",
        "anchor",
        "notice",
        "vat",
        "minimum_sales",
        "cost_cap",
        "minimum_proration",
        "cap_proration",
        "tolerance",
        "tick",
        "tick_scope",
        "interim_threshold",
        "trial",
        "currency",
        "credit_on_end",
        "lines",
        "versions",
    ]
)


@act
def declare_article(actor: Actor, *, seller: Seller, key: str, **fields: Any) -> Article:
    """Make an article, or set the fields named of one that is there."""
    article, _ = Article.objects.update_or_create(seller=seller, key=key, defaults=fields)
    record(actor, "declare_article", f"article:{article.pk}", {"key": key, **fields})
    return article


@act
def define_tariff(actor: Actor, *, seller: Seller, key: str, **fields: Any) -> Tariff:
    """Make a tariff with its lines and later versions, from the fields of the scenario format.

    Raises `Refused`: `conflict` when the key is taken, `invalid`, `no_flagged_line`, `minimum_above_cap`,
    `overlapping_flags` (R9.4).
    """
    unknown = set(fields) - TARIFF_FIELDS
    if unknown:
        raise Refused("invalid", "A tariff has no field “%(field)s”.", field=sorted(unknown)[0])
    if Tariff.objects.filter(seller=seller, key=key).exists():
        raise Refused(
            "conflict", "There is a tariff “%(key)s” already: choose another key, or make a version.", key=key
        )
    notice = fields.get("notice") or "none"
    parse_terms(notice)
    tariff = Tariff.objects.create(
        seller=seller,
        key=key,
        module=fields.get("module") or "",
        public=bool(fields.get("public")),
        offer_number=fields.get("offer_number"),
        anchor=str(fields.get("anchor") or "contract"),
        currency=fields.get("currency") or seller.currency,
        notice=to_json(notice),
        trial=str(parse_span(fields["trial"])) if fields.get("trial") else None,
    )
    current = {k: v for k, v in fields.items() if k != "versions"}
    _write_version(tariff, date.min, "new", current)
    for change in fields.get("versions") or ():
        current = _merged(current, change)
        _write_version(tariff, change["from"], change.get("applies_to", "new"), current)
    record(actor, "define_tariff", f"tariff:{tariff.pk}", {"key": key, **fields})
    return tariff


@act
def add_version(
    actor: Actor, *, tariff: Tariff, valid_from: date, applies_to: str, changes: dict[str, Any]
) -> TariffVersion:
    """Make a version from a date on: the one that holds then, with the fields changed that are named."""
    base = TariffVersion.objects.filter(tariff=tariff, valid_from__lte=valid_from).order_by("valid_from", "id").last()
    assert base is not None
    version = _write_version(tariff, valid_from, applies_to, _merged(described(base), changes))
    record(
        actor, "add_version", f"tariff:{tariff.pk}", {"from": valid_from, "applies_to": applies_to, "changes": changes}
    )
    return version


def moved_prices(version: TariffVersion, percent: Decimal | None, prices: dict[str, Any] | None) -> dict[str, Any]:
    """The changes of a price update: prices, tier prices and flats by percent, or prices by line (R16.3)."""
    if prices:
        known = set(version.lines.values_list("article__key", flat=True))
        for key in prices:
            if key not in known:
                raise Refused("not_found", "The tariff has no line for the article “%(article)s”.", article=key)
        return {"lines": {key: {"price": price} for key, price in prices.items()}}
    change = Fraction(number(percent, "percent"))
    if change < -100:
        raise Refused("invalid", "Prices fall by 100 percent at most.")
    factor = (100 + change) / 100
    lines: dict[str, Any] = {}
    for line in version.lines.select_related("article"):
        moved: dict[str, Any] = {}
        if "price" in line.terms:
            moved["price"] = _moved(line.terms["price"], factor)
        if "tiers" in line.terms:
            moved["tiers"] = [
                {k: _moved(v, factor) if k in ("price", "flat") and v is not None else v for k, v in tier.items()}
                for tier in line.terms["tiers"]
            ]
        lines[line.article.key] = moved
    return {"lines": lines}


def _moved(price: str, factor: Fraction) -> Decimal:
    """A price moved by a factor, at most 12 decimals, HALF_UP (R1.2)."""
    return plain(Fraction(price) * factor)


@act
def delete_tariff(actor: Actor, *, tariff: Tariff) -> None:
    """Delete a tariff that was never ordered; raises `Refused` (`tariff_in_use`) otherwise."""
    from django.db.models import ProtectedError

    try:
        with transaction.atomic():
            key, pk = tariff.key, tariff.pk
            tariff.delete()
    except ProtectedError as error:
        raise Refused(
            "tariff_in_use", "“%(key)s” has contracts: retire it instead of deleting it.", key=tariff.key
        ) from error
    record(actor, "delete_tariff", f"tariff:{pk}", {"key": key})


@act
def retire_tariff(actor: Actor, *, tariff: Tariff) -> None:
    """Let nobody order a tariff any more; contracts that have it go on, and its prices can still change for them."""
    _set_retired(actor, tariff, True, "retire_tariff")


@act
def offer_tariff_again(actor: Actor, *, tariff: Tariff) -> None:
    """Let a retired tariff be ordered again."""
    _set_retired(actor, tariff, False, "offer_tariff_again")


def _set_retired(actor: Actor, tariff: Tariff, retired: bool, action: str) -> None:
    """Write it and tell the log; what is so already is left alone."""
    if Tariff.objects.filter(pk=tariff.pk, retired=not retired).update(retired=retired):
        record(actor, action, f"tariff:{tariff.pk}", {"key": tariff.key})
    tariff.retired = retired


@act
def define_coupon(actor: Actor, *, seller: Seller, key: str, **fields: Any) -> Coupon:
    """Make a coupon: `percent` or `amount`, `periods`, `lines` (keys of articles)."""
    percent, amount = fields.get("percent"), fields.get("amount")
    if (percent is None) == (amount is None):
        raise Refused("invalid", "A coupon takes either a percentage or an amount off.")
    if percent is not None and not 0 < number(percent, "percent") <= 100:
        raise Refused("invalid", "A coupon takes more than 0 and at most 100 percent off.")
    if amount is not None and number(amount, "amount") <= 0:
        raise Refused("invalid", "A coupon takes an amount of more than 0 off.")
    coupon = Coupon.objects.create(
        seller=seller,
        key=key,
        percent=decimal(percent) if percent is not None else None,
        amount=decimal(amount) if amount is not None else None,
        periods=fields.get("periods"),
        articles=list(fields.get("lines") or ()),
    )
    record(actor, "define_coupon", f"coupon:{coupon.pk}", {"key": key, **fields})
    return coupon


def described(version: TariffVersion) -> dict[str, Any]:
    """A stored version as a person would write it; the ground for the next one."""
    fields: dict[str, Any] = {
        name: getattr(version, name)
        for name in (
            "title",
            "minimum_sales",
            "cost_cap",
            "minimum_proration",
            "cap_proration",
            "interim_threshold",
            "tolerance",
            "credit_on_end",
        )
    }
    fields["interval"] = str(version.interval)
    fields["vat"] = [{"from": start, "rate": rate} for start, rate in version.vat] if version.vat else None
    fields["lines"] = {
        line.article.key: line.terms
        | {"vat": [{"from": s, "rate": r} for s, r in line.terms["vat"]] if line.terms.get("vat") else None}
        for line in version.lines.select_related("article")
    }
    return fields


def _merged(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Fields with changes laid over them; lines are merged line by line."""
    lines = dict(fields.get("lines") or {})
    for key, line in (changes.get("lines") or {}).items():
        lines[key] = {**lines.get(key, {}), **line}
    plain = {k: v for k, v in changes.items() if k not in ("from", "applies_to", "lines")}
    return {**fields, **plain, "lines": lines}


def _write_version(tariff: Tariff, valid_from: date, applies_to: str, fields: dict[str, Any]) -> TariffVersion:
    lines = {key: clean_line(line, fields) for key, line in (fields.get("lines") or {}).items()}
    version = TariffVersion(tariff=tariff, valid_from=valid_from, applies_to=applies_to, **version_fields(fields))
    terms = {
        key: line_terms(key, i, line.get("title", ""), line, version.interval)
        for i, (key, line) in enumerate(lines.items())
    }
    check_tariff(tariff_terms(version), tariff.anchor, terms)
    for line in lines.values():
        if line.get("notice"):
            parse_terms(line["notice"])
    version.save(force_insert=True)
    articles = _articles(tariff.seller, lines)
    TariffLine.objects.bulk_create(
        TariffLine(
            version=version,
            article=articles[key],
            position=i,
            title=line.get("title", ""),
            alternative_name=line.get("alternative_name", ""),
            key=line.get("key", ""),
            charge=terms[key].charge,
            booking=terms[key].booking,
            terms=line,
        )
        for i, (key, line) in enumerate(lines.items())
    )
    return version


def _articles(seller: Seller, lines: dict[str, dict[str, Any]]) -> dict[str, Article]:
    """The articles of the lines; made on first use."""
    known = {a.key: a for a in Article.objects.filter(seller=seller, key__in=lines)}
    new = [
        Article(seller=seller, key=key, title=line.get("title", ""), unit=line.get("unit", "piece"))
        for key, line in lines.items()
        if key not in known
    ]
    return known | {a.key: a for a in Article.objects.bulk_create(new)}
