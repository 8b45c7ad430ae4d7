"""Price lists: what a module offers on a day, as plain values. The words for them are the printing room's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from taktura.catalog.models import Module, OfferNumber, Tariff, TariffLine, TariffVersion
from taktura.catalog.modules import public_tariffs
from taktura.catalog.offer_numbers import folded, unknown, usable
from taktura.catalog.queries import tariff_line_terms, version_terms
from taktura.catalog.titles import in_language
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, TariffTerms, Tax
from taktura.core.listed import GROSS, NET, listed_line, listed_tariff
from taktura.core.money import places
from taktura.core.periods import Span
from taktura.core.tax import rates_of, vat_on
from taktura.core.terms import Terms, parse_terms
from taktura.customers.models import Seller
from taktura.customers.queries import rates
from taktura.kit.language import LANGUAGES

BASES = (NET, GROSS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLine:
    """A line of a price list. Prices in `terms` are in the list's basis; `rate` is its VAT in percent.

    `heading` stands above it. `notice`: the line's own, where it has one.
    """

    article: str
    title: str
    heading: str
    highlight: bool
    rate: Decimal
    terms: LineTerms
    notice: Terms | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTariff:
    """A tariff of a price list. `rate` is the VAT of its minimum sales and cost cap in percent.

    `in_minimum` and `in_cap` name the lines that count for them, as far as they are shown. `valid_from`: the first day
    of its version; none for one from the beginning. `offer_number`: by which it is ordered, where it is not public.
    """

    key: str
    title: str
    currency: str
    rate: Decimal
    terms: TariffTerms
    notice: Terms
    trial: Span | None
    lines: tuple[ListedLine, ...]
    in_minimum: tuple[str, ...]
    in_cap: tuple[str, ...]
    valid_from: date | None
    offer_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What a module offers on a day, in a language, net or gross (`basis`).

    `consumer_rules`: whether German consumer law bounds the notice of consumers (R15.4).
    """

    seller: Seller
    module: str
    title: str
    language: str
    on: date
    basis: str
    consumer_rules: bool
    tariffs: tuple[ListedTariff, ...]


def price_list(
    module: Module, *, language: str, on: date, basis: str = "", offer_number: str = "", today: date | None = None
) -> PriceList:
    """The price list of a module on a day, in six queries whatever its size: its public tariffs in their order, then
    the one that an `offer_number` opens (`today`), in the version that it pins.

    `basis`: net or gross; empty: as the seller's prices are. Raises `Refused`: `invalid` for a language or basis that
    there is none of, `unknown_offer_number`.
    """
    seller = module.seller
    basis = basis or seller.prices_are
    _check_word(language, LANGUAGES, "language")
    _check_word(basis, BASES, "prices")
    wanted = _versions(public_tariffs(module), on)
    if offer_number:
        offer = _offer(module, offer_number, today or on)
        wanted = [(t, v, "") for t, v, _ in wanted if t.pk != offer.tariff_id]
        wanted.append((offer.tariff, offer.version, offer.number))
    shop = _Shop(seller, language, on, basis)
    return PriceList(
        seller=seller,
        module=module.key,
        title=in_language(module.title, module.titles, language),
        language=language,
        on=on,
        basis=basis,
        consumer_rules=seller.consumer_rules == "DE",
        tariffs=tuple(shop.listed(wanted)),
    )


def terms_in(
    basis: str, *, seller: Seller, version: TariffVersion, lines: Mapping[int, LineTerms], on: date, currency: str
) -> dict[int, LineTerms]:
    """Terms of lines of a version, by the line's id, with their prices net or gross at the domestic VAT of a day."""
    shop, tariff = _Shop(seller, "", on, basis), version_terms([version.pk])[version.pk]
    return {pk: shop.priced(terms, tariff, places(currency)) for pk, terms in lines.items()}


def _check_word(word: str, known: Sequence[str], field: str) -> None:
    if word not in known:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=word[:100], known=", ".join(known),
                      field=field)  # fmt: skip


_Wanted = tuple[Tariff, TariffVersion, str]


def _versions(tariffs: Iterable[Tariff], on: date) -> list[_Wanted]:
    """Tariffs with the versions that hold on a day, in one query more."""
    rows = list(tariffs)
    found = {}
    for version in TariffVersion.objects.filter(tariff__in=rows, valid_from__lte=on).order_by("valid_from", "id"):
        found[version.tariff_id] = version
    return [(tariff, found[tariff.pk], "") for tariff in rows if tariff.pk in found]


def _offer(module: Module, text: str, today: date) -> OfferNumber:
    """The offer number of a tariff of the module."""
    rows = OfferNumber.objects.filter(folded=folded(text), tariff__module=module, tariff__retired=False)
    found = rows.select_related("tariff").first()
    if found is None:
        raise unknown(text)
    return usable(text, found.tariff, today)


@dataclass(frozen=True, slots=True)
class _Shop:
    """From stored versions to what is listed."""

    seller: Seller
    language: str
    on: date
    basis: str

    def listed(self, wanted: Sequence[_Wanted]) -> list[ListedTariff]:
        """Tariffs in their versions, with their lines: in a fixed number of queries."""
        ids = [version.pk for _, version, _ in wanted]
        lines: dict[int, list[TariffLine]] = {pk: [] for pk in ids}
        for row in TariffLine.objects.filter(version__in=ids).select_related("article").order_by("position"):
            lines[row.version_id].append(row)
        terms = version_terms(ids)
        of_lines = tariff_line_terms(row.pk for rows in lines.values() for row in rows)
        return [
            self._tariff(tariff, version, number, terms[version.pk], lines[version.pk], of_lines)
            for tariff, version, number in wanted
        ]

    def _tariff(
        self,
        tariff: Tariff,
        version: TariffVersion,
        number: str,
        terms: TariffTerms,
        rows: list[TariffLine],
        of_lines: dict[int, LineTerms],
    ) -> ListedTariff:
        digits = places(tariff.currency)
        given = {"given": self.seller.prices_are, "wanted": self.basis}
        shown = [
            self._line(row, of_lines[row.pk], terms, digits) for row in rows if row.terms.get("show", True) is not False
        ]
        flagged = [t for row in rows if (t := of_lines[row.pk]).in_minimum or t.in_cap]
        common = {self._rate(terms, line) for line in flagged}
        rate = common.pop() if len(common) == 1 else self._rate(terms, None)
        return ListedTariff(
            key=tariff.key,
            title=in_language(version.title, version.titles, self.language),
            currency=tariff.currency,
            rate=rate,
            terms=listed_tariff(terms, rate, digits=digits, **given),
            notice=parse_terms(version.notice),
            trial=version.trial,
            lines=tuple(shown),
            in_minimum=tuple(line.title for line in shown if line.terms.in_minimum),
            in_cap=tuple(line.title for line in shown if line.terms.in_cap),
            valid_from=None if version.valid_from == date.min else version.valid_from,
            offer_number=number,
        )

    def _line(self, row: TariffLine, terms: LineTerms, tariff: TariffTerms, digits: int) -> ListedLine:
        rate = self._rate(tariff, terms)
        title = row.title or row.article.title or row.article.key
        stored = row.terms
        return ListedLine(
            article=row.article.key,
            title=in_language(title, stored.get("titles"), self.language),
            heading=in_language(str(stored.get("heading") or ""), stored.get("headings"), self.language),
            highlight=stored.get("highlight") is True,
            rate=rate,
            terms=self.priced(terms, tariff, digits),
            notice=parse_terms(stored["notice"]) if stored.get("notice") else None,
        )

    def priced(self, terms: LineTerms, tariff: TariffTerms, digits: int) -> LineTerms:
        """A line's terms with its prices in the basis of the list."""
        rate = self._rate(tariff, terms)
        return listed_line(terms, rate, given=self.seller.prices_are, wanted=self.basis, digits=digits)

    def _rate(self, tariff: TariffTerms, line: LineTerms | None) -> Decimal:
        """The domestic VAT rate on the day of the list (R13.1)."""
        tax = Tax(seller_rates=rates(self.seller.vat) or ((date.min, Decimal(0)),))
        return vat_on(tax, rates_of(tax, tariff, line), self.on)[1]
