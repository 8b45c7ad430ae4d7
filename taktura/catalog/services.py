"""Writes of the catalog. A version is never edited: a change makes another one with a date (R16.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.keys import check_keys, register
from taktura.catalog.models import Article, Tariff, TariffLine, TariffVersion
from taktura.catalog.modules import module_named, place_of
from taktura.catalog.offer_numbers import written
from taktura.catalog.queries import version_in_force
from taktura.catalog.terms import clean_line, line_terms, tariff_terms, version_fields
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, TariffTerms
from taktura.core.money import plain
from taktura.core.offer import check_tariff
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import number

APPROVALS = ("company", "always", "never")  # whether staff approve the orders of a tariff
TARIFF_FIELDS = frozenset(
    [
        "title",
        "titles",
        "module",
        "public",
        "order_approval",
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
    check_key_free(seller, key)
    module = module_named(seller, str(fields.get("module") or ""))
    tariff = Tariff.objects.create(
        seller=seller,
        key=key,
        module=module,
        position=place_of(module),
        public=bool(fields.get("public")),
        order_approval=approval_of(fields),
        currency=fields.get("currency") or seller.currency,
    )
    current = {k: v for k, v in fields.items() if k != "versions"}
    _write_version(tariff, date.min, "new", current)
    for change in fields.get("versions") or ():
        current = _merged(current, change)
        _write_version(tariff, change["from"], change.get("applies_to", "new"), current)
    if fields.get("offer_number"):
        holding = version_in_force(tariff, actor.today(seller.time_zone))
        written(actor, tariff, holding, str(fields["offer_number"])).save(force_insert=True)
    record(actor, "define_tariff", f"tariff:{tariff.pk}", {"key": key, **fields})
    return tariff


def approval_of(fields: Mapping[str, Any]) -> str:
    """Whether staff approve the orders of a tariff: `always`, `never`, or as the `company` has it, which is meant where
    nothing is said. Raises `Refused` (`invalid`)."""
    found = fields.get("order_approval") or APPROVALS[0]
    if found not in APPROVALS:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=str(found)[:100],
                      known=", ".join(APPROVALS), field="order_approval")  # fmt: skip
    return str(found)


def check_key_free(seller: Seller, key: str) -> None:
    """Raises `Refused` (`conflict`) when a tariff has the key already."""
    if Tariff.objects.filter(seller=seller, key=key).exists():
        raise Refused(
            "conflict", "There is a tariff “%(key)s” already: choose another key, or make a version.", key=key
        )


@act
def add_version(
    actor: Actor, *, tariff: Tariff, valid_from: date, applies_to: str, changes: dict[str, Any], whole: bool = False
) -> TariffVersion:
    """Make a version from a date on: the one that holds then, with the fields changed that are named.

    `whole`: `changes` is all that the version says, so that a line that is not in it is gone.
    """
    fields = changes if whole else _changed(tariff, valid_from, changes)
    version = _write_version(tariff, valid_from, applies_to, fields)
    record(
        actor, "add_version", f"tariff:{tariff.pk}", {"from": valid_from, "applies_to": applies_to, "changes": changes}
    )
    return version


def _changed(tariff: Tariff, valid_from: date, changes: dict[str, Any]) -> dict[str, Any]:
    base = TariffVersion.objects.filter(tariff=tariff, valid_from__lte=valid_from).order_by("valid_from", "id").last()
    assert base is not None
    return _merged(described(base), changes)


@act
def rewrite_tariff(actor: Actor, *, tariff: Tariff, fields: dict[str, Any], currency: str) -> TariffVersion:
    """Put one version in the place of all that a tariff said; only while nobody ever ordered it.

    Raises `Refused`: `tariff_in_use`, and what `define_tariff` refuses.
    """
    with transaction.atomic():
        try:
            tariff.versions.all().delete()
        except (ProtectedError, RestrictedError) as error:
            raise Refused(
                "tariff_in_use", "“%(key)s” has contracts or offers: make a version with a date.", key=tariff.key
            ) from error
        version = _write_version(tariff, date.min, "new", fields)
        if tariff.currency != currency:
            tariff.currency = currency
            tariff.save(update_fields=["currency"])
    record(actor, "rewrite_tariff", f"tariff:{tariff.pk}", {"key": tariff.key, "currency": currency, **fields})
    return version


@act
def change_tariff_settings(
    actor: Actor,
    *,
    tariff: Tariff,
    module: str | None = None,
    public: bool | None = None,
    order_approval: str | None = None,
) -> None:
    """Change what holds for all versions of a tariff at once, and bears on no contract."""
    changed: dict[str, Any] = {}
    if public is not None and public != tariff.public:
        tariff.public = changed["public"] = public
    if module is not None and (named := module_named(tariff.seller, module)) != tariff.module:
        tariff.position, tariff.module, changed["module"] = place_of(named), named, module
    if order_approval is not None and order_approval != tariff.order_approval:
        tariff.order_approval = changed["order_approval"] = order_approval
    if changed:
        tariff.save(update_fields=["public", "module", "position", "order_approval"])
        record(actor, "change_tariff_settings", f"tariff:{tariff.pk}", {"key": tariff.key, **changed})


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
    try:
        with transaction.atomic():
            key, pk = tariff.key, tariff.pk
            tariff.delete()
    except (ProtectedError, RestrictedError) as error:
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


def described(version: TariffVersion, lines: Iterable[TariffLine] | None = None) -> dict[str, Any]:
    """A stored version as a person would write it; the ground for the next one. `lines`: its lines with their articles,
    where they are loaded already."""
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
            "anchor",
            "notice",
        )
    }
    for name in ("titles", "tick", "tick_scope"):
        fields[name] = getattr(version, name) or None
    fields["trial"] = str(version.trial) if version.trial else None
    fields["interval"] = str(version.interval)
    fields["vat"] = [{"from": start, "rate": rate} for start, rate in version.vat] if version.vat else None
    fields["lines"] = {
        line.article.key: line.terms
        | {"vat": [{"from": s, "rate": r} for s, r in line.terms["vat"]] if line.terms.get("vat") else None}
        for line in (version.lines.select_related("article") if lines is None else lines)
    }
    return fields


def _merged(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Fields with changes laid over them; lines are merged line by line."""
    lines = dict(fields.get("lines") or {})
    for key, line in (changes.get("lines") or {}).items():
        lines[key] = {**lines.get(key, {}), **line}
    plain = {k: v for k, v in changes.items() if k not in ("from", "applies_to", "lines")}
    return {**fields, **plain, "lines": lines}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a version says, checked and as the core has it; nothing is written.

    `lines`: the settings of each line by its article, as they are stored, in order; `terms` the core's value of each.
    """

    version: TariffVersion
    lines: dict[str, dict[str, Any]]
    terms: dict[str, LineTerms]

    @property
    def tariff_terms(self) -> TariffTerms:
        """The core's value of the version."""
        return tariff_terms(self.version)


def offer_of(fields: dict[str, Any]) -> Offer:
    """What the fields of a tariff (in the scenario format) say. Raises `Refused` as `define_tariff` does."""
    lines = {key: clean_line(line, key) for key, line in (fields.get("lines") or {}).items()}
    version = TariffVersion(**version_fields(fields))
    terms = {
        key: line_terms(key, i, line.get("alternative_name") or line.get("title") or key, line, version)
        for i, (key, line) in enumerate(lines.items())
    }
    check_tariff(tariff_terms(version), version.anchor, terms)
    owner: dict[str, str] = {}
    for article, line in lines.items():
        key = line.get("key", "")
        if key and owner.setdefault(key, article) != article:
            raise Refused(
                "invalid",
                "The key “%(key)s” stands in two lines: usage would not know which.",
                key=key,
                field="key",
                article=article,
            )
    return Offer(version, lines, terms)


def plan_version(*, tariff: Tariff, valid_from: date, changes: dict[str, Any]) -> Offer:
    """What a version would say that `add_version` makes, checked as there. Writes nothing."""
    offer = offer_of(_changed(tariff, valid_from, changes))
    check_keys(tariff.seller, offer.lines)
    return offer


def _write_version(tariff: Tariff, valid_from: date, applies_to: str, fields: dict[str, Any]) -> TariffVersion:
    offer = offer_of(fields)
    check_keys(tariff.seller, offer.lines)
    register(tariff.seller, offer.lines.values())
    version = offer.version
    version.tariff, version.valid_from, version.applies_to = tariff, valid_from, applies_to
    version.save(force_insert=True)
    articles = _articles(tariff.seller, offer.lines)
    TariffLine.objects.bulk_create(
        TariffLine(
            version=version,
            article=articles[key],
            position=i,
            title=line.get("title", ""),
            alternative_name=line.get("alternative_name", ""),
            key=line.get("key", ""),
            charge=offer.terms[key].charge,
            booking=offer.terms[key].booking,
            terms=line,
        )
        for i, (key, line) in enumerate(offer.lines.items())
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
