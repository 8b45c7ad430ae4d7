"""Which keys a scenario may have, and of what type; an unknown one is an error that names the nearest."""

import difflib
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FLAGS = {"yes": True, "no": False, "true": True, "false": False}


class Located(dict[Any, Any]):
    """A mapping that knows the lines its keys stand on."""

    line: int = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class Wrong(Exception):
    """What is wrong, and on which line."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOP = _words(
    "scenario source seller articles tariffs customers suppliers product_references coupons contracts timeline"
)
SELLER = _words(
    "country currency time_zone vat prices_are change_documents stacking coupon_and_scale number_format closed_until "
    "consumer_rules rate_change"
)
ARTICLE = _words("number unit ledger_account title")
TARIFF = _words(
    "title module public offer_number interval anchor notice vat minimum_sales cost_cap minimum_proration "
    "cap_proration tolerance tick tick_scope interim_threshold trial currency credit_on_end lines versions"
)
LINE = _words(
    "title alternative_name key charge booking when interval price_per price price_quantity package proration vat included "
    "included_proration tiers tier_mode discount_scale aggregate aggregate_of unit tick tick_scope flat_price "
    "reference_price in_minimum in_cap interim notice usage_pricing markup bookable_by show highlight heading"
)
NOTICE = _words("initial_term renewal_term notice to")
CUSTOMER = _words(
    "name country kind vat_id tax_status language billing_information email iban round_up_minutes hourly_rate documents_per"
)
SUPPLIER = _words("create_customers create_subscriptions unit_price_from_import mapping currency time_zone")
COUPON = _words("percent amount periods lines")
SIGN = _words("customer tariff start offer_number quantities coupon anchor conditions billed_until")
CONDITION = _words("price discount reason minimum_quantity")
USAGE = _words("contract article key quantity duration at from until id source revision cost price attributes")

VERBS: dict[str, frozenset[str]] = {
    "define_tariff": TARIFF | {"tariff"},
    "delete_tariff": _words("tariff"),
    "sign": SIGN | {"contract"},
    "book": _words("contract article quantity from until memo price discount reason minimum_quantity bill as"),
    "change_quantity": _words("contract article quantity from memo line"),
    "end_line": _words("contract article until line"),
    "usage": USAGE,
    "withdraw_usage": _words("id source"),
    "close_period": _words("until"),
    "import_usage": _words("supplier rows file mapping"),
    "link": _words("supplier subscription contract article line"),
    "link_customer": _words("supplier reference customer"),
    "extend_contract": _words("supplier subscription contract article quantity from"),
    "reprocess": _words("supplier"),
    "interim_bill": _words("contract leave_out"),
    "bill": _words("contract customer preview"),
    "give_notice": _words("contract article received end"),
    "withdraw_notice": _words("contract"),
    "change_tariff": _words("contract tariff from keep_billing_dates keep_terms keep"),
    "pause": _words("contract from until"),
    "resume": _words("contract from"),
    "redeem": _words("contract coupon"),
    "order": _words("tariff customer articles coupon offer_number as"),
    "price_update": _words("tariff from percent lines"),
    "credit": _words("document lines reason rebill"),
    "pay": _words("document amount on"),
    "set_billing_information": _words("customer"),
    "sales_item": _words("customer lines as"),
    "move_sales_item": _words("item customer"),
    "ticket": _words("customer subject as"),
    "log_time": _words("ticket minutes billable worked_on"),
    "approve_time": _words("ticket"),
    "confirm_numbering": _words("kind format next"),
}
DOCUMENT = _words("kind contract customer net tax gross number references lines taxes as")
DOCUMENT_LINE = _words("article title kind quantity unit_price net vat from until")
EXPECT: dict[str, frozenset[str] | None] = {
    "documents": DOCUMENT,
    "preview": DOCUMENT,
    "error": None,
    "waiting": None,
    "balance": None,
    "onboarding": None,
    "contracts": _words("ends last_day notice_deadline next_billing status lines"),
    "usage": _words("recorded duplicates conflicts exceptions"),
    "subscriptions": _words(
        "status contract article customer_id name description start end product product_name unit quantity"
    ),
    "supplier_customers": _words("status customer name"),
    "customers": CUSTOMER,
    "sales_items": _words("status customer net minutes"),
    "time": _words("status customer net minutes"),
    "alerts": _words("kind contract article forecast"),
    "payments": _words("open status"),
}
WORDS: dict[str, frozenset[str]] = {
    "charge": _words("once recurring usage"),
    "booking": _words("included add_on on_off"),
    "when": _words("advance arrears"),
    "package": _words("proportional started"),
    "proration": _words("daily none"),
    "tier_mode": _words("graduated volume"),
    "aggregate": _words("sum count max last unique"),
    "tick_scope": _words("record period"),
    "usage_pricing": _words("tariff usage_quantity fixed_quantity cost_plus imported_price"),
    "change_documents": _words("separate netted"),
    "prices_are": _words("net gross"),
    "stacking": _words("best add sequence"),
    "coupon_and_scale": _words("coupon best both"),
    "rate_change": _words("end split"),
    "documents_per": _words("contract customer"),
    "tax_status": _words("domestic reverse_charge export exempt"),
    "applies_to": _words("new all"),
    "minimum_proration": _words("daily none"),
    "cap_proration": _words("daily none"),
    "included_proration": _words("daily none"),
    "bill": _words("next now"),
}
NUMBERS = _words(
    "price price_quantity included reference_price markup minimum_sales cost_cap interim_threshold tolerance percent amount "
    "periods above up_to flat discount minimum_quantity hourly_rate round_up_minutes quantity duration minutes net tax gross "
    "recorded duplicates conflicts revision cost line"
)
BOOLS = _words(
    "flat_price in_minimum in_cap interim public create_customers create_subscriptions unit_price_from_import preview "
    "keep_billing_dates keep_terms rebill show highlight billing_information credit_on_end billable forecast"
)
DATES = _words("start until from ends last_day notice_deadline next_billing received end billed_until closed_until")
FREE = frozenset({"attributes", "mapping", "quantities", "references"})


def check(data: Located) -> None:
    """Check a whole file; raises `Wrong`. Flags written as words (yes, no) become true or false."""
    _keys(data, TOP, "")
    if not data.get("scenario"):
        raise Wrong("`scenario:` (the title) is missing", 1)
    _section(data.get("seller"), SELLER, "seller")
    for name, allowed in (("articles", ARTICLE), ("customers", CUSTOMER), ("suppliers", SUPPLIER), ("coupons", COUPON)):
        for key, value in (data.get(name) or {}).items():
            _section(value, allowed, f"{name}.{key}")
    for key, value in (data.get("tariffs") or {}).items():
        _tariff(value, f"tariffs.{key}", TARIFF)
    for key, value in (data.get("contracts") or {}).items():
        _sign(value, SIGN, f"contracts.{key}")
    for i, value in enumerate(data.get("product_references") or (), 1):
        _section(value, _words("supplier product article"), f"product_references.{i}")
    for i, step in enumerate(data.get("timeline") or (), 1):
        _step(step, f"timeline.{i}")


def _step(step: Any, place: str) -> None:
    if not isinstance(step, Located) or not isinstance(step.get("on"), date):
        raise Wrong(f"{place} needs `on:` with a date or a timestamp", getattr(step, "line", None))
    _keys(step, frozenset(VERBS) | {"on", "expect"}, place)
    verbs = [k for k in step if k in VERBS]
    if len(verbs) > 1 or not verbs and "expect" not in step:
        raise Wrong(f"{place} has one verb, or only `expect`", step.line)
    for verb in verbs:
        _verb(verb, step[verb], f"{place}.{verb}")
    if step.get("expect") is not None:
        _expect(step["expect"], f"{place}.expect")


def _verb(verb: str, args: Any, place: str) -> None:
    if verb == "usage":
        for row in args if isinstance(args, list) else [args]:
            _section(row, USAGE, place)
    elif verb == "define_tariff":
        _tariff(args, place, VERBS[verb])
    elif verb == "sign":
        _sign(args, VERBS[verb], place)
    else:
        _section(args, VERBS[verb], place, skip=("rows", "lines"))


def _tariff(value: Any, place: str, allowed: frozenset[str]) -> None:
    _section(value, allowed, place, skip=("lines", "versions", "notice"))
    if isinstance(value.get("notice"), Located):
        _section(value["notice"], NOTICE, f"{place}.notice")
    for key, line in (value.get("lines") or {}).items():
        _line(line, f"{place}.lines.{key}")
    for i, version in enumerate(value.get("versions") or (), 1):
        _section(version, TARIFF | {"from", "applies_to"}, f"{place}.versions.{i}", skip=("lines", "notice"))
        for key, line in (version.get("lines") or {}).items():
            _line(line, f"{place}.versions.{i}.lines.{key}")


def _line(line: Any, place: str) -> None:
    _section(line, LINE, place, skip=("tiers", "discount_scale", "notice"))
    for tier in line.get("tiers") or ():
        _section(tier, _words("up_to price flat"), f"{place}.tiers")
    for step in line.get("discount_scale") or ():
        _section(step, _words("above percent"), f"{place}.discount_scale")


def _sign(value: Any, allowed: frozenset[str], place: str) -> None:
    _section(value, allowed, place, skip=("conditions",))
    for key, conditions in (value.get("conditions") or {}).items():
        _section(conditions, CONDITION, f"{place}.conditions.{key}")


def _expect(expect: Any, place: str) -> None:
    _keys(expect, frozenset(EXPECT), place)
    for name, allowed in EXPECT.items():
        value = expect.get(name)
        if value is None or allowed is None:
            continue
        if name in ("documents", "preview"):
            for document in value:
                _section(document, DOCUMENT, f"{place}.{name}", skip=("lines", "taxes"))
                for line in document.get("lines") or ():
                    _section(line, DOCUMENT_LINE, f"{place}.{name}.lines")
                for tax in document.get("taxes") or ():
                    _section(tax, _words("rate category net tax"), f"{place}.{name}.taxes")
        elif isinstance(value, list):
            for row in value:
                _section(row, allowed, f"{place}.{name}")
        elif name == "usage":
            _section(value, allowed, f"{place}.usage", skip=("exceptions",))
        else:
            for key, row in value.items():
                if row is not None:
                    _section(row, allowed, f"{place}.{name}.{key}", skip=("lines", "interim"))


def _section(value: Any, allowed: frozenset[str], place: str, skip: Iterable[str] = ()) -> None:
    if value is None:
        return
    if not isinstance(value, Located):
        raise Wrong(f"{place} is a mapping", None)
    _keys(value, allowed, place)
    for key, entry in value.items():
        if key in skip or key in FREE or entry is None:
            continue
        value[key] = _typed(key, entry, f"{place}.{key}", value.lines.get(key))


def _typed(key: str, entry: Any, place: str, line: int | None) -> Any:
    if key in BOOLS:
        if isinstance(entry, str) and entry in FLAGS:
            return FLAGS[entry]
        if not isinstance(entry, bool):
            raise Wrong(f"{place}: “{entry}” is neither true nor false", line)
    elif key in WORDS and entry not in WORDS[key]:
        raise Wrong(f"{place}: “{entry}” is not one of {', '.join(sorted(WORDS[key]))}", line)
    elif key in NUMBERS and not isinstance(entry, list):
        try:
            return entry if isinstance(entry, int | Decimal) and not isinstance(entry, bool) else Decimal(str(entry))
        except ArithmeticError:
            raise Wrong(f"{place}: “{entry}” is no number", line) from None
    elif key in DATES and not isinstance(entry, date | datetime):
        raise Wrong(f"{place}: “{entry}” is no date", line)
    return entry


def _keys(value: Any, allowed: frozenset[str], place: str) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{place or 'the file'} is a mapping", None)
    for key in value:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), sorted(allowed), 1, 0)
            where = f"{place}.{key}" if place else str(key)
            raise Wrong(
                f"unknown key {where}: did you mean “{near[0] if near else sorted(allowed)[0]}”?",
                value.lines.get(key) if isinstance(value, Located) else None,
            )
