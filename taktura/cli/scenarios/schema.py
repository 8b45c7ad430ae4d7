"""The format of scenario files (docs/scenarios.md): which keys stand where, and of what shape their values are.

What the rules refuse is left to the services, so that a step can expect the refusal; only in the sections before the
timeline, where nothing can be expected, is it said here, with its line (`limits`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from taktura.cli.scenarios import values
from taktura.cli.scenarios.nodes import Wrong, entries, free, free_scalar, kind, line_of, scalar
from taktura.cli.scenarios.shapes import (
    Shape,
    anchor,
    by_form,
    choice,
    day,
    each,
    fields,
    flag,
    moment,
    needed,
    number,
    or_null,
    pattern,
    rows,
    span,
    text,
    tick,
    unknown,
    whole,
    zone,
)
from taktura.kit.language import LANGUAGES
from taktura.usage.reader import COLUMNS
from taktura.usage.reader.mapping import SETTINGS

texts = rows(needed(text))
quantities = each(needed(number))
country = pattern("[A-Z]{2}", "is no country: write its two letters, such as DE")
currency = pattern("[A-Z]{3}", "is no currency: write its three letters, such as EUR")
prorated = choice("daily none")
names = fields(dict.fromkeys(LANGUAGES, text))


def _rates(node: Any, place: str) -> Any:
    """A rate, or a list of {from, rate} of which only the first may lack `from` (R13.1)."""
    found = _rate_or_list(node, place)
    if isinstance(found, list) and any(rate.get("from") is None for rate in found[1:]):
        raise Wrong(f"{place}: every rate but the first needs its `from`", line_of(node))
    return found


_rate_or_list = by_form(number, as_list=rows(fields({"from": day, "rate": number}, "rate"), 1))
SELLER: dict[str, Shape] = {
    "country": country,
    "currency": currency,
    "time_zone": zone,
    "vat": _rates,
    "prices_are": choice("net gross"),
    "change_documents": choice("separate netted"),
    "stacking": choice("best add sequence"),
    "coupon_and_scale": choice("coupon best both"),
    "number_format": text,
    "closed_until": day,
    "consumer_rules": choice("DE none"),
    "rate_change": choice("end split"),
}
ARTICLE: dict[str, Shape] = dict.fromkeys(("title", "number", "unit", "ledger_account"), text)
CUSTOMER: dict[str, Shape] = {
    "name": text,
    "country": country,
    "kind": choice("business consumer"),
    "vat_id": text,
    "tax_status": choice("domestic reverse_charge export exempt"),
    "language": text,
    "billing_information": flag,
    "email": text,
    "iban": text,
    "round_up_minutes": whole,
    "hourly_rate": number,
    "documents_per": choice("contract customer"),
}
MAPPING = fields(
    dict.fromkeys((*COLUMNS, *SETTINGS), text)
    | {"columns": fields(dict.fromkeys(COLUMNS, text)), "skip_lines": whole, "null_texts": by_form(text, as_list=texts)}
)
SUPPLIER: dict[str, Shape] = {
    "create_customers": flag,
    "create_subscriptions": flag,
    "unit_price_from_import": flag,
    "mapping": MAPPING,
    "currency": currency,
    "time_zone": zone,
}
COUPON: dict[str, Shape] = {"percent": number, "amount": number, "periods": whole, "lines": texts}


def _notice(limits: bool) -> Shape:
    length = span(limits)
    return by_form(
        choice("none monthly yearly"),
        as_mapping=fields(
            {
                "initial_term": length,
                "renewal_term": lambda node, place: "open" if _is_word(node, "open") else length(node, place),
                "notice": length,
                "to": choice("day month_end term_end"),
            }
        ),
    )


def _is_word(node: Any, word: str) -> bool:
    return bool(node.value == word)


def _line(limits: bool) -> dict[str, Shape]:
    """A line of a tariff."""
    return {
        "title": text,
        "titles": names,
        "alternative_name": text,
        "alternative_names": names,
        "key": text,
        "charge": choice("once recurring usage"),
        "booking": choice("included add_on on_off"),
        "when": choice("advance arrears"),
        "interval": span(limits),
        "price_per": span(limits),
        "price": number,
        "price_quantity": number,
        "package": choice("proportional started"),
        "proration": prorated,
        "vat": _rates,
        "included": number,
        "included_proration": prorated,
        "tiers": rows(fields({"up_to": number, "price": number, "flat": number})),
        "tier_mode": choice("graduated volume"),
        "discount_scale": rows(fields({"above": number, "percent": number}, "above percent")),
        "aggregate": choice("sum count max last unique"),
        "aggregate_of": text,
        "unit": text,
        "tick": tick(limits),
        "tick_scope": choice("record period"),
        "flat_price": flag,
        "reference_price": number,
        "in_minimum": flag,
        "in_cap": flag,
        "interim": flag,
        "notice": _notice(limits),
        "usage_pricing": choice("tariff usage_quantity fixed_quantity cost_plus imported_price"),
        "markup": number,
        "bookable_by": choice("staff customer"),
        "show": flag,
        "highlight": flag,
        "heading": text,
        "headings": names,
    }


def _tariff(limits: bool) -> dict[str, Shape]:
    """A tariff with its lines and versions."""
    tariff: dict[str, Shape] = {
        "title": text,
        "titles": names,
        "module": text,
        "public": flag,
        "order_approval": choice("company always never"),
        "offer_number": text,
        "interval": span(limits),
        "anchor": anchor(limits),
        "notice": _notice(limits),
        "vat": _rates,
        "minimum_sales": number,
        "cost_cap": number,
        "minimum_proration": prorated,
        "cap_proration": prorated,
        "tolerance": number,
        "tick": tick(limits),
        "tick_scope": choice("record period"),
        "interim_threshold": number,
        "trial": span(limits),
        "currency": currency,
        "credit_on_end": flag,
        "lines": each(fields(_line(limits))),
    }
    version = fields(tariff | {"from": day, "applies_to": choice("new all")}, "from")
    return tariff | {"versions": rows(version)}


def _sign(limits: bool) -> dict[str, Shape]:
    """The fields of a contract."""
    own = {"price": number, "discount": number, "reason": text, "minimum_quantity": number}
    return {
        "customer": text,
        "tariff": text,
        "start": day,
        "offer_number": text,
        "quantities": quantities,
        "coupon": text,
        "anchor": anchor(limits),
        "conditions": each(fields(own)),
        "billed_until": day,
    }


USAGE = fields(
    {
        **dict.fromkeys(("contract", "article", "key", "id", "source"), text),
        **dict.fromkeys(("at", "from", "until"), moment),
        **dict.fromkeys(("quantity", "duration", "cost", "price"), number),
        "revision": whole,
        "attributes": lambda node, place: {e.key: free(e.value, f"{place}.{e.key}") for e in entries(node, place)},
    }
)
NUMBER_COLUMNS = frozenset(["quantity", "cost", "cost_amount", "price", "amount", "discount", "revision"])
DAY_COLUMNS = frozenset(["subscription_start", "subscription_end", "period_start", "period_end"])


def _cell(column: str) -> Shape:
    """A cell of a supplier's row: a text, of a day's column a date; a bad one is the reader's to report."""

    def read(node: Any, place: str) -> Any:
        found = scalar(node, place, "a single value")
        if column in NUMBER_COLUMNS:
            free_scalar(node, place)  # a number that YAML knows and we do not (0x10, .nan) is told here
        elif column in DAY_COLUMNS and kind(node) == "timestamp":
            try:
                return values.instant(found, local=True)
            except ValueError as error:
                raise Wrong(f"{place}: {error}", line_of(node)) from None
        return None if kind(node) == "null" else found

    return read


def _row(*mappings: Mapping[str, Any] | None) -> Shape:
    """A row of a supplier import, under our columns or the headings of the mappings."""
    known = {column: _cell(column) for column in COLUMNS}
    for mapping in mappings:
        named = dict(mapping or {})
        for column, heading in (named | (named.get("columns") or {})).items():
            if column in COLUMNS and heading is not None:
                known[heading] = _cell(column)
    return fields(known)


def _import(suppliers: Mapping[str, Any], folder: Path) -> Shape:
    """`import_usage`: the rows, or a file beside the scenario that is there."""

    def read(node: Any, place: str) -> dict[str, Any]:
        parts = {entry.key: entry.value for entry in entries(node, place)}
        own = MAPPING(parts["mapping"], f"{place}.mapping") if "mapping" in parts else None
        theirs = suppliers.get(parts["supplier"].value) if _is_plain(parts.get("supplier")) else None
        row = _row(own, (theirs or {}).get("mapping"))
        known: dict[str, Shape] = {"supplier": text, "rows": rows(row), "file": text, "mapping": MAPPING}
        found: dict[str, Any] = fields(known, "supplier")(node, place)
        if ("rows" in found) == ("file" in found):
            raise Wrong(f"{place} has either `rows` or `file`", line_of(node))
        if "file" in found and not _is_file(folder, found["file"]):
            raise Wrong(f"{place}.file: there is no file “{found['file']}”", line_of(parts["file"]))
        return found

    return read


def _is_plain(node: Any) -> bool:
    return node is not None and isinstance(node.value, str)


def _is_file(folder: Path, name: str | None) -> bool:
    try:
        return bool(name) and (folder / str(name)).is_file()
    except (OSError, ValueError):
        return False


def _texts(names: str, **others: Shape) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), text) | others


ITEM_LINE = fields(_texts("title article", quantity=number, price=number, discount=number))
LEFT_OUT = choice("usage time sales_items")
VERBS: dict[str, Shape] = {
    "define_tariff": fields(_tariff(limits=False) | {"tariff": text}, "tariff"),
    "delete_tariff": fields(_texts("tariff"), "tariff"),
    "sign": fields(_sign(limits=False) | {"contract": text}, "contract customer tariff start"),
    "book": fields(
        _texts("contract article memo reason as", bill=choice("next now"))
        | {"from": day, "until": day, "quantity": number, "price": number, "discount": number}
        | {"minimum_quantity": number},
        "contract article from",
    ),
    "change_quantity": fields(
        _texts("contract article memo line", quantity=number) | {"from": day}, "contract article quantity from"
    ),
    "change_conditions": fields(
        _texts("contract article memo line reason", price=number, discount=number, minimum_quantity=number)
        | {"from": day},
        "contract article from",
    ),
    "take_back_quantity": fields(_texts("contract article memo line") | {"from": day}, "contract article from"),
    "end_line": fields(_texts("contract article line", until=day), "contract article until"),
    "usage": by_form(USAGE, as_list=rows(USAGE)),
    "withdraw_usage": fields(_texts("id source"), "id"),
    "close_period": fields({"until": day}, "until"),
    "link": fields(_texts("supplier subscription contract article line"), "supplier subscription contract article"),
    "link_customer": fields(_texts("supplier reference customer"), "supplier reference customer"),
    "extend_contract": fields(
        _texts("supplier subscription contract article", quantity=number) | {"from": day},
        "supplier subscription contract",
    ),
    "reprocess": fields(_texts("supplier"), "supplier"),
    "interim_bill": fields(_texts("contract", leave_out=rows(needed(LEFT_OUT))), "contract"),
    "bill": fields(_texts("contract customer", preview=flag)),
    "give_notice": fields(_texts("contract article", received=day, end=day), "contract"),
    "withdraw_notice": fields(_texts("contract article line"), "contract"),
    "change_tariff": fields(
        _texts("contract tariff", keep_billing_dates=flag, keep_terms=flag, keep=texts) | {"from": day},
        "contract tariff from",
    ),
    "transfer": fields(_texts("contract customer as") | {"from": day}, "contract customer from"),
    "pause": fields(_texts("contract", until=day) | {"from": day}, "contract from"),
    "resume": fields(_texts("contract") | {"from": day}, "contract from"),
    "redeem": fields(_texts("contract coupon"), "contract coupon"),
    "order": fields(_texts("tariff customer coupon offer_number as", articles=quantities), "tariff customer"),
    "price_update": fields(_texts("tariff", percent=number, lines=quantities) | {"from": day}, "tariff from"),
    "credit": fields(
        _texts(
            "document reason",
            rebill=flag,
            lines=rows(fields({"line": whole, "net": number, "quantity": number}, "line")),
        ),
        "document",
    ),
    "pay": fields(_texts("document", amount=number, on=day), "document amount"),
    "set_billing_information": fields(_texts("customer"), "customer"),
    "sales_item": fields(_texts("customer as", lines=rows(ITEM_LINE)), "customer lines"),
    "move_sales_item": fields(_texts("item customer"), "item customer"),
    "ticket": fields(_texts("customer subject as"), "customer as"),
    "log_time": fields(_texts("ticket", minutes=number, billable=flag, worked_on=day), "ticket minutes"),
    "approve_time": fields(_texts("ticket"), "ticket"),
    "confirm_numbering": fields(_texts("kind format", next=whole), "kind format next"),
}
AMOUNTS: dict[str, Shape] = {"net": number, "tax": number, "gross": number}
DOCUMENT_LINE = fields(
    _texts("article title kind", quantity=number, unit_price=number, net=number, vat=number)
    | {"from": day, "until": day}
)
DOCUMENT = fields(
    _texts("kind contract customer number as", references=by_form(text, as_list=texts))
    | AMOUNTS
    | {
        "lines": or_null(rows(DOCUMENT_LINE)),
        "taxes": or_null(rows(fields(_texts("category", rate=number, net=number, tax=number)))),
    }
)
CONTRACT_STATE = fields(
    _texts("status", lines=or_null(each(number)))
    | dict.fromkeys(("ends", "last_day", "notice_deadline", "next_billing"), day)
)
USAGE_COUNTS = fields(
    {"recorded": number, "duplicates": number, "conflicts": number}
    | {"exceptions": or_null(rows(fields({"reason": text})))}
)
SUBSCRIPTION = fields(
    _texts("status contract article customer_id name description product product_name unit")
    | {"quantity": number, "start": day, "end": day}
)
SOLD = fields(_texts("status customer", net=number, minutes=number))
EXPECT: dict[str, Shape] = {
    name: or_null(shape)
    for name, shape in {
        "documents": rows(DOCUMENT),
        "preview": rows(DOCUMENT),
        "error": text,
        "contracts": each(or_null(CONTRACT_STATE)),
        "usage": USAGE_COUNTS,
        "waiting": number,
        "subscriptions": each(or_null(SUBSCRIPTION)),
        "supplier_customers": each(or_null(fields(_texts("status customer name")))),
        "customers": each(or_null(fields(CUSTOMER))),
        "sales_items": rows(SOLD),
        "time": rows(SOLD),
        "onboarding": fields({"without_billing_information": or_null(texts), "without_contract": or_null(texts)}),
        "alerts": rows(fields(_texts("kind contract article", forecast=flag))),
        "balance": quantities,
        "payments": each(or_null(fields(_texts("status", open=number)))),
    }.items()
}
SECTIONS: dict[str, Shape] = {
    "scenario": text,
    "source": by_form(text, as_list=texts),
    "seller": fields(SELLER),
    "articles": each(fields(ARTICLE)),
    "tariffs": each(fields(_tariff(limits=True))),
    "customers": each(fields(CUSTOMER)),
    "suppliers": each(fields(SUPPLIER)),
    "product_references": rows(fields(_texts("supplier product article"), "supplier product article")),
    "coupons": each(fields(COUPON)),
    "contracts": each(fields(_sign(limits=True), "customer tariff start")),
}


def read(root: Any, folder: Path) -> dict[str, Any]:
    """A whole file from its root node, as plain values; each step gets its `line`. Raises `Wrong`.

    `folder` is where the scenario stands: a file that it imports is looked for from there.
    """
    if root is None:
        raise Wrong("the file is empty: a scenario begins with `scenario:`", 1)
    parts = entries(root, "")
    found: dict[str, Any] = {}
    timeline = None
    for key, line, node in parts:
        if key == "timeline":
            timeline = node
        elif key in SECTIONS:
            found[key] = SECTIONS[key](node, key)
        else:
            raise unknown(key, [*SECTIONS, "timeline"], "", line)
    if not found.get("scenario"):
        raise Wrong("`scenario:` (the title) is missing", line_of(root))
    verbs = VERBS | {"import_usage": _import(found.get("suppliers") or {}, folder)}
    found["timeline"] = rows(_step(verbs))(timeline, "timeline") if timeline is not None else []
    return found


def read_tariff(root: Any) -> dict[str, Any]:
    """Check the fields of one tariff that stand in a file of their own; raises `Wrong`."""
    if root is None:
        raise Wrong("the file is empty: a tariff has `lines:`", 1)
    found: dict[str, Any] = fields(_tariff(limits=False))(root, "")
    return found


def _step(verbs: Mapping[str, Shape]) -> Shape:
    """A step: its day or instant, one verb or none, what is expected."""
    expect = or_null(fields(EXPECT))
    known: dict[str, Shape] = {"on": moment, "expect": expect, **verbs}

    def read_step(node: Any, place: str) -> dict[str, Any]:
        step: dict[str, Any] = fields(known, "on")(node, place)
        named = _names(step, verbs)
        if len(named) > 1 or not named and "expect" not in step:
            raise Wrong(f"{place} has one verb, or only `expect`", line_of(node))
        verb = named[0] if named else None
        return {
            "line": line_of(node),
            "on": step["on"],
            "verb": verb,
            "args": step[verb] if verb else None,
            "expect": step.get("expect"),
        }

    return read_step


def _names(step: Iterable[str], verbs: Mapping[str, Shape]) -> list[str]:
    return [key for key in step if key in verbs]
