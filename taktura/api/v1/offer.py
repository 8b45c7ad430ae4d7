"""What a tariff says, in the words of the scenario format: bodies for writing and reading."""

from typing import Annotated, Any, Literal

from pydantic import Field

from taktura.api.fields import (
    Amount,
    Anchor,
    Currency,
    Day,
    Flag,
    In,
    Key,
    Number,
    Out,
    Span,
    Text20,
    Text50,
    Text100,
    Text200,
    Tick,
    Told,
)

Prorated = Literal["daily", "none"]
AppliesTo = Literal["new", "all"]
TickScope = Literal["record", "period"]
MOST_LINES = 500
Names = Annotated[dict[Literal["en", "de", "sv"], Text200], Field(description="by language, where it has its own")]


class RateIn(In):
    """A VAT rate from a day on."""

    from_: Day | None = Field(None, validation_alias="from", serialization_alias="from")
    rate: Amount


class RateOut(Out):
    """A VAT rate from a day on; null: from the beginning."""

    from_: Day | None = Field(validation_alias="from", serialization_alias="from")
    rate: Told


class OwnTermsIn(In):
    """Terms of notice of one's own (R15.3)."""

    initial_term: Span | None = None
    renewal_term: Span | Literal["open"] | None = None
    notice: Span | None = None
    to: Literal["day", "month_end", "term_end"] | None = None


class OwnTermsOut(Out):
    """Terms of notice of one's own (R15.3)."""

    initial_term: str | None = None
    renewal_term: str | None = None
    notice: str | None = None
    to: str | None = None


Notice = Literal["none", "monthly", "yearly"] | OwnTermsIn
NoticeOut = str | OwnTermsOut
Vat = Amount | Annotated[list[RateIn], Field(min_length=1, max_length=50)]


class TierIn(In):
    """A tier; only the last has no `up_to`."""

    up_to: Amount | None = None
    price: Amount | None = None
    flat: Amount | None = None


class TierOut(Out):
    """A tier; only the last has no `up_to`."""

    up_to: Told | None = None
    price: Told | None = None
    flat: Told | None = None


class StepIn(In):
    """A step of a discount scale: `percent` off, above a quantity."""

    above: Amount
    percent: Amount


class StepOut(Out):
    """A step of a discount scale: `percent` off, above a quantity."""

    above: Told
    percent: Told


class LineIn(In):
    """A line of a tariff. What is left out has the default of the rules."""

    title: Text200 | None = None
    titles: Names | None = None
    alternative_name: Text200 | None = None
    alternative_names: Names | None = None
    key: Text100 | None = Field(None, description="ties a data source to the line")
    charge: Literal["once", "recurring", "usage"] | None = None
    booking: Literal["included", "add_on", "on_off"] | None = None
    when: Literal["advance", "arrears"] | None = None
    interval: Span | None = None
    price_per: Span | None = None
    price: Amount | None = None
    price_quantity: Amount | None = None
    package: Literal["proportional", "started"] | None = None
    proration: Prorated | None = None
    vat: Vat | None = None
    included: Amount | None = None
    included_proration: Prorated | None = None
    tiers: list[TierIn] | None = Field(None, max_length=100)
    tier_mode: Literal["graduated", "volume"] | None = None
    discount_scale: list[StepIn] | None = Field(None, max_length=100)
    aggregate: Literal["sum", "count", "max", "last", "unique"] | None = None
    aggregate_of: Text100 | None = None
    unit: Text20 | None = None
    tick: Tick | None = None
    tick_scope: TickScope | None = None
    flat_price: Flag | None = None
    reference_price: Amount | None = None
    in_minimum: Flag | None = None
    in_cap: Flag | None = None
    interim: Flag | None = None
    notice: Notice | None = None
    usage_pricing: Literal["tariff", "usage_quantity", "fixed_quantity", "cost_plus", "imported_price"] | None = None
    markup: Number | None = None
    bookable_by: Literal["staff", "customer"] | None = None
    show: Flag | None = None
    highlight: Flag | None = None
    heading: Text200 | None = None
    headings: Names | None = None


class LineOut(Out):
    """A line of a tariff; null: the default of the rules."""

    title: str | None = None
    titles: dict[str, str] | None = None
    alternative_name: str | None = None
    alternative_names: dict[str, str] | None = None
    key: str | None = None
    charge: str | None = None
    booking: str | None = None
    when: str | None = None
    interval: str | None = None
    price_per: str | None = None
    price: Told | None = None
    price_quantity: Told | None = None
    package: str | None = None
    proration: str | None = None
    vat: list[RateOut] | None = None
    included: Told | None = None
    included_proration: str | None = None
    tiers: list[TierOut] | None = None
    tier_mode: str | None = None
    discount_scale: list[StepOut] | None = None
    aggregate: str | None = None
    aggregate_of: str | None = None
    unit: str | None = None
    tick: str | None = None
    tick_scope: str | None = None
    flat_price: bool | None = None
    reference_price: Told | None = None
    in_minimum: bool | None = None
    in_cap: bool | None = None
    interim: bool | None = None
    notice: NoticeOut | None = None
    usage_pricing: str | None = None
    markup: Told | None = None
    bookable_by: str | None = None
    show: bool | None = None
    highlight: bool | None = None
    heading: str | None = None
    headings: dict[str, str] | None = None


Lines = Annotated[dict[Key, LineIn], Field(max_length=MOST_LINES, description="by the article's key")]


class OfferIn(In):
    """What a version of a tariff says; in a change, what is left out stays."""

    title: Text200 | None = None
    titles: Names | None = None
    interval: Span | None = None
    anchor: Anchor | None = None
    notice: Notice | None = None
    trial: Span | None = None
    vat: Vat | None = None
    minimum_sales: Amount | None = None
    cost_cap: Amount | None = None
    minimum_proration: Prorated | None = None
    cap_proration: Prorated | None = None
    tolerance: Amount | None = None
    interim_threshold: Amount | None = None
    credit_on_end: Flag | None = None
    tick: Tick | None = None
    tick_scope: TickScope | None = None
    lines: Lines | None = None


Approval = Literal["company", "always", "never"]
APPROVAL = Field(None, description="whether staff approve its orders; `company`: as the company has it")


class VersionIn(OfferIn):
    """A version of a tariff from a day on."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    applies_to: AppliesTo = "new"


class TariffIn(OfferIn):
    """A new tariff with its lines and later versions."""

    tariff: Key
    module: Text100 | None = None
    public: Flag | None = None
    order_approval: Approval | None = APPROVAL
    offer_number: Text50 | None = Field(None, max_length=40, min_length=1)
    currency: Currency | None = None
    versions: list[VersionIn] | None = Field(None, max_length=100)


class DraftIn(OfferIn):
    """A tariff that nobody has, to be tried."""

    currency: Currency | None = None


class VersionOut(Out):
    """A version of a tariff; `from` null: from the beginning."""

    from_: Day | None = Field(validation_alias="from", serialization_alias="from")
    applies_to: str
    title: str
    titles: dict[str, str] | None
    interval: str
    anchor: str
    notice: NoticeOut
    trial: str | None
    tick: str | None
    tick_scope: str | None
    vat: list[RateOut] | None
    minimum_sales: Told | None
    cost_cap: Told | None
    minimum_proration: str
    cap_proration: str
    tolerance: Told
    interim_threshold: Told | None
    credit_on_end: bool
    lines: dict[str, LineOut]


class TariffOut(Out):
    """A tariff with all its versions."""

    tariff: str
    title: str = Field(description="of the version that holds today")
    module: str
    public: bool
    order_approval: str = Field(description="whether staff approve its orders: always, never, or as the company has it")
    offer_number: str | None
    anchor: str = Field(description="of the version that holds today, like notice and trial")
    notice: NoticeOut
    trial: str | None
    currency: str
    retired: bool
    versions: list[VersionOut]


class TariffSummary(Out):
    """A tariff, without what it says."""

    tariff: str
    title: str = Field(description="of the version that holds today")
    module: str
    public: bool
    offer_number: str | None
    currency: str
    retired: bool


def written(body: Any, *without: str) -> dict[str, Any]:
    """What a body gives, in the words of the services: only what is given, `from` under its own name."""
    found: dict[str, Any] = body.model_dump(by_alias=True, exclude_unset=True, exclude=set(without))
    return found
