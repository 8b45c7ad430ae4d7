"""The facts that settlement works on, as frozen values. Dates are local to the seller; every range is half-open.

Prices and quantities are unrounded `Decimal`; amounts of what is billed are whole minor units of the contract's
currency. Values with `eq=False` compare by identity, so that what is compiled from them can be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from taktura.core.periods import FOREVER, Anchor, Span

T = TypeVar("T")
ZERO = Decimal(0)
ONE = Decimal(1)
MONTHLY = Span(1, "month")
Rates = tuple[tuple[date, Decimal], ...]  # (from, percent), in order; the first from the beginning of time


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A step of a graduated or volume price (R7.2); `up_to` is included, None in the last."""

    up_to: Decimal | None = None
    price: Decimal = ZERO
    flat: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineTerms:
    """What a tariff (in one version) says of one of its lines. `vat` is None when the tariff's rate holds."""

    article: str
    title: str = ""
    titles: tuple[tuple[str, str], ...] = ()  # (language, title) where a language has its own
    charge: str = "recurring"  # once | recurring | usage
    booking: str = "included"  # included | add_on | on_off
    when: str = "advance"  # advance | arrears
    interval: Span = MONTHLY
    price_per: Span = MONTHLY
    price: Decimal = ZERO
    price_quantity: Decimal = ONE
    package: str = "proportional"  # proportional | started
    proration: str = "daily"  # daily | none
    vat: Rates | None = None
    included: Decimal = ZERO
    included_proration: str = "none"
    tiers: tuple[Tier, ...] = ()
    tier_mode: str = "graduated"
    discount_scale: tuple[tuple[Decimal, Decimal], ...] = ()  # (above, percent), rising
    aggregate: str = "sum"  # sum | count | max | last | unique
    aggregate_of: str = ""
    unit: str = "piece"
    tick: tuple[int, int] = (60, 60)  # first seconds, then steps
    tick_scope: str = "record"  # record | period
    flat_price: bool = False
    reference_price: Decimal | None = None
    in_minimum: bool = False
    in_cap: bool = False
    interim: bool = True
    usage_pricing: str = "tariff"
    markup: Decimal = ZERO
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TariffTerms:
    """What a tariff (in one version) says of a contract as a whole."""

    interval: Span = MONTHLY
    vat: Rates | None = None
    minimum: Decimal | None = None
    cap: Decimal | None = None
    minimum_proration: str = "daily"
    cap_proration: str = "none"
    interim_threshold: Decimal | None = None
    credit_on_end: bool = True
    tolerance: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Phase:
    """A span of a contract under one tariff (R16.1). `versions` are (from, terms), in order."""

    start: date
    end: date = FOREVER
    anchor: Anchor
    versions: tuple[tuple[date, TariffTerms], ...]

    def terms(self, day: date) -> TariffTerms:
        """The version that holds for a period that starts on `day`."""
        return at(self.versions, day)


class Conditions(NamedTuple):
    """A contract's own conditions of a line (R7.5): `price` and `minimum_quantity` None where it has none."""

    price: Decimal | None = None
    discount: Decimal = ZERO  # percent
    reason: str = ""
    minimum_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A contract line: what is booked, from when, how many (`quantities`: from, quantity), on what conditions.

    `price`, `discount`, `reason` and `minimum_quantity` are its own conditions from the beginning, `conditions` the
    later ones (from, all that holds then).
    """

    id: int
    start: date
    end: date = FOREVER
    terms: tuple[tuple[date, LineTerms], ...]
    quantities: tuple[tuple[date, Decimal], ...] = ((date.min, ONE),)
    price: Decimal | None = None
    discount: Decimal = ZERO
    reason: str = ""
    name: str = ""  # tells it from others of its article
    minimum_quantity: Decimal | None = None
    kept: date | None = None  # from this change of tariff on it goes on at its old terms
    ended_by_notice: bool = False
    order_coupon: int | None = None
    conditions: tuple[tuple[date, Conditions], ...] = ()

    @property
    def article(self) -> str:
        """The article's key, the same in all its terms."""
        return self.terms[0][1].article

    def on(self, day: date) -> "Line":
        """The line as it is on the conditions of a day, without later ones; itself where none have ever changed."""
        if not self.conditions:
            return self
        if day < self.conditions[0][0]:
            return replace(self, conditions=())
        return replace(self, conditions=(), **at(self.conditions, day)._asdict())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coupon:
    """A coupon given to a contract (R10.2). `first` and `end` bound the starts of the periods in which it counts."""

    id: int
    given: date
    first: date
    end: date = FOREVER
    percent: Decimal | None = None
    amount: Decimal | None = None
    articles: frozenset[str] = frozenset()  # empty: all


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tax:
    """The tax side of a contract (R13): the category S stands for the line's rates, another one for itself."""

    category: str = "S"  # S | AE | G | E
    seller_rates: Rates = ((date.min, Decimal(19)),)
    gross: bool = False
    split: bool = False  # rate_change: split


class Conversion(NamedTuple):
    """How amounts in one currency come to another: × `over` ÷ `under`, by the rate of a day."""

    day: date
    over: Decimal
    under: Decimal


class Foreign(NamedTuple):
    """Amounts in another currency than the contract's, all converted alike: sums as in `Usage.parts`.

    `imported` is the amount of rows whose supplier sets the price; it is in none of the other two.
    """

    currency: str
    by: Conversion
    days: int
    cost: Decimal
    amount: Decimal
    imported: Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums of the usage of one line over one rated period, as the store gives them (whole seconds, exact decimals).

    `parts` are sums over spans of several days: (days of the whole span, quantity × days, cost × days, amount × days)
    with the days that lie in the period; what has no span counts as one of one day. `imported` is the amount (as in
    parts) of rows whose supplier sets the price. `foreign` are costs and amounts in other currencies; quantities of
    such rows are in the other sums.
    """

    quantity: Decimal = ZERO
    seconds: int = 0
    count: int = 0
    peak: Decimal = ZERO
    last: Decimal = ZERO
    unique: int = 0
    raw_quantity: Decimal = ZERO  # each row's quantity once
    parts: tuple[tuple[int, Decimal, Decimal, Decimal], ...] = ()
    days_parts: Decimal = ZERO  # sum of quantity × days over all spans (usage_quantity)
    whole_parts: Decimal = ZERO  # quantity of rows without a span (usage_quantity)
    imported: tuple[tuple[int, Decimal], ...] = ()
    imported_quantity: Decimal = ZERO
    foreign: tuple[Foreign, ...] = ()
    covered: tuple[tuple[date, date], ...] = ()  # the spans of the rows (fixed_quantity)
    mark: int = 0  # the store's revision mark: what it had seen when it summed


UsageKey = tuple[int, date]  # contract line, start of the rated period


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contract:
    """All that was agreed on one contract, up to now."""

    id: int
    start: date
    end: date = FOREVER
    billed_until: date = date.min
    trial_end: date | None = None
    phases: tuple[Phase, ...]
    lines: tuple[Line, ...]
    pauses: tuple[tuple[date, date], ...] = ()
    coupons: tuple[Coupon, ...] = ()
    usage: Mapping[UsageKey, Usage] = field(default_factory=dict)
    tax: Tax = Tax()
    digits: int = 2
    stacking: str = "best"
    coupon_and_scale: str = "coupon"


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a charge in its contract. `phase` for usage and the unit's own lines, `vat` for the latter."""

    line: int | None
    kind: str  # recurring | flat | usage | once | minimum_sales | cost_cap
    start: date
    phase: date | None = None
    vat: tuple[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """The cost function of one whole period (R4.2): what a day of it costs, and whether two days cost the same."""

    start: date
    end: date
    price: Fraction  # of the whole period, unrounded, after all discounts
    quantity: Decimal
    spans: int = 1  # whole spans of `price_per` in it, when that is shorter than the period
    span: Span | None = None
    day: int | None = None  # the day of the month on which these spans begin, where that is not the start's (R2.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is due (or billed): an amount in minor units, in the price's basis (net, or gross where prices are gross).

    `credits` names the billed charge that this one takes back, `by_hand` a credit that a person made; with `rebill` it
    opens again what it credits. `id` and `document` are set once it stands on an issued document.
    """

    key: Key
    first: date
    end: date
    amount: int
    vat: tuple[str, Decimal]
    quantity: Decimal = ONE
    unit_price: Decimal | None = None
    rate: Rate | None = None
    credits: int | None = None
    by_hand: bool = False
    rebill: bool = False
    id: int = 0
    document: int = 0
    shares: tuple[tuple[int, int], ...] = ()  # (coupon, minor units) fixed with the period's first bill
    proof: Mapping[str, object] = field(default_factory=dict)


def at(timeline: tuple[tuple[date, T], ...], day: date) -> T:
    """The value of a timeline (from, value) on a day; before the first entry, the first."""
    found = timeline[0][1]
    for start, value in timeline:
        if start > day:
            break
        found = value
    return found
