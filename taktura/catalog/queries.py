"""Reads of the catalog. Versions and their lines never change, so their core values are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Prefetch

from taktura.catalog.models import Article, Coupon, Tariff, TariffLine, TariffVersion
from taktura.catalog.terms import tariff_terms, terms_of
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, TariffTerms

_versions: dict[tuple[str, int], TariffTerms] = {}
_lines: dict[tuple[str, int], LineTerms] = {}


def version_terms(ids: Iterable[int]) -> dict[int, TariffTerms]:
    """The core values of versions; one query for those not known yet."""
    name = connection.settings_dict["NAME"]
    wanted = set(ids)
    missing = {i for i in wanted if (name, i) not in _versions}
    if missing:
        for version in TariffVersion.objects.filter(pk__in=missing):
            _versions[name, version.pk] = tariff_terms(version)
    return {i: _versions[name, i] for i in wanted}


def tariff_line_terms(ids: Iterable[int]) -> dict[int, LineTerms]:
    """The core values of tariff lines; one query for those not known yet."""
    name = connection.settings_dict["NAME"]
    wanted = set(ids)
    missing = {i for i in wanted if (name, i) not in _lines}
    if missing:
        for line in TariffLine.objects.select_related("article", "version").filter(pk__in=missing):
            _lines[name, line.pk] = terms_of(line)
    return {i: _lines[name, i] for i in wanted}


def version_in_force(tariff: Tariff, day: date) -> TariffVersion:
    """The version that a contract takes which starts on a day."""
    found = TariffVersion.objects.filter(tariff=tariff, valid_from__lte=day).order_by("valid_from", "id").last()
    assert found is not None
    return found


def later_versions(tariff: Tariff, day: date) -> list[TariffVersion]:
    """The versions for all contracts that begin after a day, in order."""
    return list(
        TariffVersion.objects.filter(tariff=tariff, valid_from__gt=day, applies_to="all").order_by("valid_from", "id")
    )


@dataclass(frozen=True, slots=True)
class Offered:
    """A tariff with its versions and their lines, loaded once for many contracts."""

    tariff: Tariff
    versions: list[TariffVersion]

    def in_force(self, day: date) -> TariffVersion:
        """The version that a contract takes which starts on a day."""
        return [v for v in self.versions if v.valid_from <= day][-1]

    def later(self, day: date) -> list[TariffVersion]:
        """The versions for all contracts that begin after a day, in order."""
        return [v for v in self.versions if v.valid_from > day and v.applies_to == "all"]


def offered(seller_id: int, keys: Iterable[str]) -> dict[str, Offered]:
    """A seller's tariffs by their keys, each as it is offered; in a fixed number of queries."""
    rows = Tariff.objects.filter(seller=seller_id, key__in=list(keys))
    lines = Prefetch("lines", TariffLine.objects.select_related("article", "version"))
    versions = Prefetch("versions", TariffVersion.objects.order_by("valid_from", "id").prefetch_related(lines))
    found = {t.key: Offered(t, list(t.versions.all())) for t in rows.prefetch_related(versions)}
    tariff_line_terms(line.pk for one in found.values() for v in one.versions for line in v.lines.all())
    version_terms(v.pk for one in found.values() for v in one.versions)
    return found


def lines_of(version: TariffVersion) -> list[TariffLine]:
    """The lines of a version with their articles; without a query where it came with `offered`."""
    if "lines" in getattr(version, "_prefetched_objects_cache", ()):
        return list(version.lines.all())
    return list(version.lines.select_related("article", "version"))


def article_by_key(seller_id: int, key: str) -> Article:
    """The article of a key; raises `Refused` (`not_found`)."""
    found = Article.objects.filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no article “%(key)s”.", key=key)
    return found


def tariff_by_key(seller_id: int, key: str) -> Tariff:
    """The tariff of a key; raises `Refused` (`not_found`)."""
    found = Tariff.objects.select_related("seller", "module").filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no tariff “%(key)s”.", key=key)
    return found


def check_offered(tariff: Tariff) -> None:
    """Raises `Refused` (`tariff_retired`) for a tariff that nobody can order any more."""
    if Tariff.objects.filter(pk=tariff.pk, retired=True).exists():
        raise Refused("tariff_retired", "“%(key)s” is retired: it cannot be ordered any more.", key=tariff.key)


def coupon_by_key(seller_id: int, key: str) -> Coupon:
    """The coupon of a key; raises `Refused` (`not_found`)."""
    found = Coupon.objects.filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no coupon “%(key)s”.", key=key)
    return found


def titles_on(tariffs: Iterable[int], day: date) -> dict[int, str]:
    """The titles of tariffs in the versions that hold on a day, in one query."""
    rows = TariffVersion.objects.filter(tariff__in=list(tariffs), valid_from__lte=day).order_by("valid_from", "id")
    return dict(rows.values_list("tariff_id", "title"))


def title_on(tariff: Tariff, day: date) -> str:
    """The title of a tariff in the version that holds on a day."""
    return titles_on([tariff.pk], day).get(tariff.pk, "")


def titles(seller_id: int, day: date) -> dict[int, str]:
    """The titles of a seller's tariffs on a day, by tariff."""
    rows = TariffVersion.objects.filter(tariff__seller=seller_id, valid_from__lte=day)
    return dict(rows.order_by("tariff_id", "valid_from", "id").values_list("tariff_id", "title"))


def titles_by_key(seller_id: int, keys: Iterable[str], day: date) -> dict[str, str]:
    """The titles of a seller's tariffs on a day, by key."""
    rows = TariffVersion.objects.filter(tariff__seller=seller_id, tariff__key__in=list(keys), valid_from__lte=day)
    return dict(rows.order_by("valid_from", "id").values_list("tariff__key", "title"))


def newest_versions(seller_id: int, tariff: int | None = None) -> list[TariffVersion]:
    """The newest version of each tariff of a seller, or of one, with its tariff; by title. It may be still to come."""
    rows = TariffVersion.objects.filter(tariff__seller=seller_id)
    if tariff is not None:
        rows = rows.filter(tariff=tariff)
    newest = rows.order_by("tariff_id", "-valid_from", "-id").distinct("tariff_id")
    return sorted(newest.select_related("tariff__module"), key=lambda v: (v.title, v.pk))
