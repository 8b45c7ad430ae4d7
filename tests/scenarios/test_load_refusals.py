"""What the loader refuses, with file, line and reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from taktura.cli.scenarios.load import MAX_BYTES, Scenario, ScenarioFileError, find, load

Load = Callable[[str], Scenario]

HEAD = """\
scenario: small
seller: {country: SE}
tariffs:
  t: {title: T, interval: 1 month, lines: {a: {title: A, price: 1.00}}}
customers:
  c: {name: C}
suppliers:
  s: {mapping: {quantity: Menge}}
contracts:
  C1: {customer: c, tariff: t, start: 2026-01-01}
timeline:
"""


def wrong(read: Load, text: str) -> ScenarioFileError:
    with pytest.raises(ScenarioFileError) as caught:
        read(text)
    error = caught.value
    assert str(error) == f"{error.file}:{error.line or 1}: {error.reason}"
    assert error.file.name == "one.yaml"
    return error


# Text of a file, the line of the complaint, words of its reason.
WHOLE_FILES = [
    ("", 1, "begins with `scenario:`"),
    ("# nothing\n", 1, "begins with `scenario:`"),
    ("- a\n", 1, "the file is a mapping, not a list"),
    ("word\n", 1, "the file is a mapping, not “word”"),
    ("source: x\n", 1, "`scenario:` (the title) is missing"),
    ("scenario:\nsource: x\n", 1, "`scenario:` (the title) is missing"),
    ("scenario: [a]\n", 1, "scenario: a text is due here, not a list"),
    ("scenario: x\nscenario: y\n", 2, "“scenario” stands there twice"),
    ("scenario: x\n---\nscenario: y\n", 2, "single document"),
    ("scenario: x\ntimline: []\n", 2, "unknown key timline: did you mean “timeline”?"),
    ("scenario: x\nseller: {country: DE\ntariffs: {}\n", 3, "flow mapping"),
    ("scenario: x\n\tseller: {}\n", 2, ""),
    ("scenario: 'x\n", 2, "quoted scalar"),
    ("scenario: x\ncustomers: *nobody\n", 2, "undefined alias"),
    ("scenario: x\ncustomers: &a {b: *a}\n", 2, "an alias stands for something that it is part of"),
    ("scenario: x\ncustomers: {a: !secret {}}\n", 2, "the tag !secret has no meaning here"),
    ("scenario: x\ncustomers: {a: !!set {b}}\n", 2, "has no meaning here"),
    ("scenario: x\nsource: a\x00b\n", 2, "U+0000"),
    ("scenario: x\ncustomers: {[a]: {}}\n", 2, "a key is a word, not a list"),
    ("scenario: x\ncustomers: {{a: b}: {}}\n", 2, "a key is a word, not a mapping"),
    ("scenario: x\ncustomers:\n  ? [a, b]\n  : {}\n", 3, "a key is a word, not a list"),
    ("scenario: x\ncustomers: {~: {}}\n", 2, "a key is a word, not nothing"),
    ("scenario: x\ncustomers: {a: {<<: [b]}}\n", 2, "“<<” takes a mapping, not “b”"),
    ("scenario: x\ncustomers: {a: {<<: {name: A}, <<: {name: B}}}\n", 2, "“<<” stands there twice"),
    ("scenario: x\ncustomers: {a: {<<: {nam: A}}}\n", 2, "unknown key customers.a.nam: did you mean “name”?"),
    ("scenario: x\ncustomers: {a: {<<: {name: A, name: B}}}\n", 2, "“name” stands there twice"),
    ("scenario: x\nsource: " + "[" * 100 + "]" * 100, 2, "nested too deeply"),
    ("scenario: x\nsource: " + "[" * 20000, None, "nested too deeply"),
    # Sections of another shape.
    ("scenario: x\nseller: [DE]\n", 2, "seller is a mapping, not a list"),
    ("scenario: x\nseller: DE\n", 2, "seller is a mapping, not “DE”"),
    ("scenario: x\narticles: [a]\n", 2, "articles is a mapping, not a list"),
    ("scenario: x\narticles:\n  a: text\n", 3, "articles.a is a mapping, not “text”"),
    ("scenario: x\ntariffs:\n  - {title: T}\n", 3, "tariffs is a mapping, not a list"),
    ("scenario: x\ntariffs: {t: 5}\n", 2, "tariffs.t is a mapping, not “5”"),
    ("scenario: x\ntariffs: {t: {lines: [a]}}\n", 2, "tariffs.t.lines is a mapping, not a list"),
    ("scenario: x\ntariffs: {t: {versions: {from: 2026-01-01}}}\n", 2, "tariffs.t.versions is a list, not a mapping"),
    ("scenario: x\ncustomers: [a]\n", 2, "customers is a mapping, not a list"),
    ("scenario: x\nsuppliers: s\n", 2, "suppliers is a mapping, not “s”"),
    ("scenario: x\nproduct_references: {supplier: s}\n", 2, "product_references is a list, not a mapping"),
    ("scenario: x\nproduct_references:\n  - s\n", 3, "product_references.1 is a mapping, not “s”"),
    ("scenario: x\ncoupons: {S: {lines: base}}\n", 2, "coupons.S.lines is a list, not “base”"),
    ("scenario: x\ncontracts: {C1: [c, t]}\n", 2, "contracts.C1 is a mapping, not a list"),
    ("scenario: x\ntimeline: {on: 2026-01-01}\n", 2, "timeline is a list, not a mapping"),
    ("scenario: x\ntimeline:\n  - bill\n", 3, "timeline.1 is a mapping, not “bill”"),
    # What must be there.
    ("scenario: x\ncontracts: {C1: {customer: c, start: 2026-01-01}}\n", 2, "contracts.C1: `tariff` is missing"),
    ("scenario: x\ncontracts: {C1: }\n", 2, "contracts.C1: `customer` is missing"),
    ("scenario: x\ntariffs: {t: {versions: [{title: N}]}}\n", 2, "tariffs.t.versions.1: `from` is missing"),
    ("scenario: x\nproduct_references: [{supplier: s, product: p}]\n", 2, "`article` is missing"),
]


@pytest.mark.parametrize(("text", "line", "words"), WHOLE_FILES)
def test_a_wrong_file_is_refused_with_line_and_reason(read: Load, text: str, line: int | None, words: str) -> None:
    error = wrong(read, text)
    assert (error.line, words in error.reason) == (line, True), error


# A line of a section, as the second line of the file; words of the reason.
SECTIONS = [
    ("seller: {time_zone: Europe/Berln}", "“Europe/Berln” is no time zone: did you mean “Europe/Berlin”?"),
    ("seller: {time_zone: Europe}", "is no time zone"),
    ("seller: {time_zone: ../etc}", "is no time zone"),
    ("seller: {time_zone: ''}", "is no time zone"),
    ("seller: {countri: DE}", "unknown key seller.countri: did you mean “country”?"),
    ("seller: {country: Germany}", "“Germany” is no country"),
    ("seller: {currency: €}", "“€” is no currency"),
    ("seller: {prices_are: nett}", "“nett” is not one of net, gross"),
    ("seller: {closed_until: 2026-02-30}", "“2026-02-30” is no date: there is no such day"),
    ("seller: {closed_until: soon}", "“soon” is no date: write it as 2026-01-31"),
    ("seller: {closed_until: 2026-02-03T00:00:00Z}", "is no date"),
    ("seller: {closed_until: [2026-02-03]}", "a date is due here, not a list"),
    ("seller: {vat: lots}", "“lots” is no number"),
    ("seller: {vat: {rate: 19}}", "a number is due here, not a mapping"),
    ("seller: {vat: []}", "seller.vat is empty"),
    ("seller: {vat: [{rat: 19}]}", "unknown key seller.vat.1.rat: did you mean “rate”?"),
    ("seller: {vat: [{from: 2026-01-01}]}", "seller.vat.1: `rate` is missing"),
    ("seller: {vat: [{rate: 16}, {rate: 19}]}", "every rate but the first needs its `from`"),
    ("articles: {a: {ledger: 4400}}", "did you mean “ledger_account”?"),
    ("customers: {c: {nam: C}}", "unknown key customers.c.nam: did you mean “name”?"),
    ("customers: {c: {kind: person}}", "“person” is not one of business, consumer"),
    ("customers: {c: {billing_information: perhaps}}", "“perhaps” is neither true nor false"),
    ("customers: {c: {hourly_rate: Infinity}}", "“Infinity” is no number"),
    ("customers: {c: {round_up_minutes: 7.5}}", "“7.5” is no whole number"),
    (
        "suppliers: {s: {mapping: {quantty: Menge}}}",
        "unknown key suppliers.s.mapping.quantty: did you mean “quantity”?",
    ),
    ("suppliers: {s: {time_zone: Mars/Base}}", "is no time zone"),
    ("suppliers: {s: {create_customers: 1}}", "“1” is neither true nor false"),
    ("product_references: [{suplier: s, product: p, article: a}]", "did you mean “supplier”?"),
    ("coupons: {S: {percents: 20}}", "unknown key coupons.S.percents: did you mean “percent”?"),
    ("coupons: {S: }\ncustomers: []", "customers is a mapping, not a list"),
    ("tariffs: {t: {intervall: 1 month}}", "unknown key tariffs.t.intervall: did you mean “interval”?"),
    ("tariffs: {t: {interval: 1 moons}}", "“1 moons” is no span of time"),
    ("tariffs: {t: {interval: month}}", "“month” is no span of time"),
    ("tariffs: {t: {interval: 0 months}}", "“0 months” is no span of time"),
    ("tariffs: {t: {interval: 1.5 months}}", "“1.5 months” is no span of time"),
    ("tariffs: {t: {interval: -1 month}}", "“-1 month” is no span of time"),
    ("tariffs: {t: {interval: [1 month]}}", "a span of time is due here, not a list"),
    ("tariffs: {t: {trial: two weeks}}", "“two weeks” is no span of time"),
    ("tariffs: {t: {anchor: day}}", "“day” is no anchor"),
    ("tariffs: {t: {anchor: day 32}}", "“day 32” is no anchor"),
    ("tariffs: {t: {anchor: day 0}}", "“day 0” is no anchor"),
    ("tariffs: {t: {anchor: day x}}", "“day x” is no anchor"),
    ("tariffs: {t: {anchor: kalender}}", "“kalender” is no anchor"),
    ("tariffs: {t: {anchor: 15}}", "“15” is no anchor"),
    ("tariffs: {t: {tick: hour}}", "“hour” is no tick"),
    ("tariffs: {t: {tick: 60/0}}", "“60/0” is no tick"),
    ("tariffs: {t: {tick: 60/1/1}}", "“60/1/1” is no tick"),
    ("tariffs: {t: {notice: weekly}}", "“weekly” is not one of none, monthly, yearly"),
    ("tariffs: {t: {notice: {notice: 1 moon}}}", "“1 moon” is no span of time"),
    ("tariffs: {t: {notice: {renewal_term: opened}}}", "“opened” is no span of time"),
    ("tariffs: {t: {notice: {initial: 1 year}}}", "unknown key tariffs.t.notice.initial: did you mean “initial_term”?"),
    ("tariffs: {t: {notice: {to: year_end}}}", "“year_end” is not one of day, month_end, term_end"),
    ("tariffs: {t: {notice: [monthly]}}", "is due here, not a list"),
    ("tariffs: {t: {vat: [{form: 2026-01-01, rate: 19}]}}", "did you mean “from”?"),
    ("tariffs: {t: {minimum_sales: 10 EUR}}", "“10 EUR” is no number"),
    ("tariffs: {t: {versions: [{from: 2026-01-01, apply_to: all}]}}", "did you mean “applies_to”?"),
    ("tariffs: {t: {versions: [{from: 2026-01-01, versions: []}]}}", "unknown key tariffs.t.versions.1.versions"),
    ("tariffs: {t: {versions: [{from: 2026-01-01, lines: {a: {prise: 1}}}]}}", "did you mean “price”?"),
    ("contracts: {C1: {custommer: c}}", "unknown key contracts.C1.custommer: did you mean “customer”?"),
    ("contracts: {C1: {customer: c, tariff: t, start: 2026-02-30}}", "“2026-02-30” is no date"),
    ("contracts: {C1: {customer: c, tariff: t, start: 2026-13-01}}", "“2026-13-01” is no date"),
    ("contracts: {C1: {customer: c, tariff: t, start: 01.02.2026}}", "“01.02.2026” is no date"),
    ("contracts: {C1: {quantities: {a: many}}}", "“many” is no number"),
    ("contracts: {C1: {quantities: {a: }}}", "contracts.C1.quantities.a: a value is missing"),
    ("contracts: {C1: {quantities: [1]}}", "contracts.C1.quantities is a mapping, not a list"),
    ("contracts: {C1: {conditions: {a: {discont: 10}}}}", "did you mean “discount”?"),
    ("contracts: {C1: {conditions: {a: 10}}}", "contracts.C1.conditions.a is a mapping, not “10”"),
    ("contracts: {C1: {anchor: day 40}}", "“day 40” is no anchor"),
]


@pytest.mark.parametrize(("section", "words"), SECTIONS)
def test_a_wrong_section_is_refused_with_line_and_reason(read: Load, section: str, words: str) -> None:
    error = wrong(read, f"scenario: x\n{section}\n")
    assert words in error.reason
    assert error.line == 2 + section.count("\n")


# Fields of a tariff line, words of the reason.
LINES = [
    ("pric: 1", "unknown key tariffs.t.lines.a.pric: did you mean “price”?"),
    ("price: Infinity", "“Infinity” is no number"),
    ("price: -Infinity", "“-Infinity” is no number"),
    ("price: .inf", "“.inf” is no number"),
    ("price: NaN", "“NaN” is no number"),
    ("price: .nan", "“.nan” is no number"),
    ("price: sNaN123", "“sNaN123” is no number"),
    ("price: 1_000", "“1_000” is no number"),
    ("price: 1_000.50", "“1_000.50” is no number"),
    ('price: "1_000"', "“1_000” is no number"),
    ("price: 0x10", "“0x10” is no number"),
    ("price: 0o17", "“0o17” is no number"),
    ("price: 0b11", "“0b11” is no number"),
    ("price: 1,50", "unknown key tariffs.t.lines.a.50"),
    ('price: "1,50"', "“1,50” is no number"),
    ('price: " 1"', "“ 1” is no number"),
    ('price: "٣"', "“٣” is no number"),
    ('price: ""', "“” is no number"),
    ("price: true", "“true” is no number"),
    ("price: 2026-01-01", "“2026-01-01” is no number"),
    ("price: free", "“free” is no number"),
    ("price: [1]", "a number is due here, not a list"),
    ("price: {a: 1}", "a number is due here, not a mapping"),
    ("price: 1e99", "“1e99” is out of range"),
    ("price: 1e-99", "“1e-99” is out of range"),
    ("price: 1e999999999", "“1e999999999” is no number"),
    (f"price: {'9' * 5000}", "is out of range"),
    ("charge: sometimes", "“sometimes” is not one of once, recurring, usage"),
    ("charge: [usage]", "is due here, not a list"),
    ("booking: addon", "“addon” is not one of included, add_on, on_off"),
    ("interval: 1 moons", "“1 moons” is no span of time"),
    ("price_per: monthly", "“monthly” is no span of time"),
    ("tick: sixty", "“sixty” is no tick"),
    ("notice: 1 month", "is not one of none, monthly, yearly"),
    ("tiers: {up_to: 5}", "tariffs.t.lines.a.tiers is a list, not a mapping"),
    ("tiers: [5]", "tariffs.t.lines.a.tiers.1 is a mapping, not “5”"),
    ("tiers: [{upto: 5}]", "unknown key tariffs.t.lines.a.tiers.1.upto: did you mean “up_to”?"),
    ("tiers: [{up_to: five}]", "“five” is no number"),
    ("discount_scale: [{over: 5, percent: 1}]", "unknown key tariffs.t.lines.a.discount_scale.1.over"),
    ("discount_scale: [{above: 5}]", "tariffs.t.lines.a.discount_scale.1: `percent` is missing"),
    ("in_minimum: maybe", "“maybe” is neither true nor false"),
    ("in_cap: 1", "“1” is neither true nor false"),
    ("interim: on", "“on” is neither true nor false"),
    ("bookable_by: all", "“all” is not one of staff, customer"),
    ("vat: [{rate: 19, form: 2026-01-01}]", "did you mean “from”?"),
    ("title: [A]", "a text is due here, not a list"),
    ("title: {de: A}", "a text is due here, not a mapping"),
]


@pytest.mark.parametrize(("fields", "words"), LINES)
def test_a_wrong_tariff_line_is_refused_with_line_and_reason(read: Load, fields: str, words: str) -> None:
    error = wrong(read, f"scenario: x\ntariffs:\n  t:\n    lines:\n      a: {{{fields}}}\n")
    assert words in error.reason
    assert error.line == 5


# A step in flow style below `HEAD`, words of the reason.
STEPS = [
    ("bill: {}", "timeline.1: `on` is missing"),
    ("on: 2026-01-01", "timeline.1 has one verb, or only `expect`"),
    ("on: 2026-01-01, bill: {}, reprocess: {supplier: s}", "timeline.1 has one verb, or only `expect`"),
    ("on: 2026-02-30, bill: {}", "timeline.1.on: “2026-02-30” is no date"),
    ("on: later, bill: {}", "timeline.1.on: “later” is no date"),
    ("on: 5, bill: {}", "timeline.1.on: “5” is no date"),
    ("on: [2026-01-01], bill: {}", "a date or a timestamp is due here, not a list"),
    ("on: 2026-01-01T12:00:00, bill: {}", "“2026-01-01T12:00:00” has no offset"),
    ("on: 2026-01-01T25:00:00Z, bill: {}", "is no timestamp"),
    ("on: 2026-01-01T12:00:00+99:00, bill: {}", "is no timestamp"),
    ("on: 0001-01-01T00:00:00+14:00, bill: {}", "is out of range"),
    ("on: 2026-01-01, bil: {}", "unknown key timeline.1.bil: did you mean “bill”?"),
    ("on: 2026-01-01, bill: []", "timeline.1.bill is a mapping, not a list"),
    ("on: 2026-01-01, bill: all", "timeline.1.bill is a mapping, not “all”"),
    ("on: 2026-01-01, bill: {previw: true}", "unknown key timeline.1.bill.previw: did you mean “preview”?"),
    ("on: 2026-01-01, bill: {preview: sure}", "“sure” is neither true nor false"),
    ("on: 2026-01-01, sign: {contract: C2}", "timeline.1.sign: `customer` is missing"),
    ("on: 2026-01-01, sign: {conditions: {a: {pric: 1}}}", "unknown key timeline.1.sign.conditions.a.pric"),
    ("on: 2026-01-01, sign: {anchor: someday}", "“someday” is no anchor"),
    ("on: 2026-01-01, sign: ", "timeline.1.sign: `contract` is missing"),
    ("on: 2026-01-01, define_tariff: {interval: 1 moons, tariff: u}", "“1 moons” is no span of time"),
    ("on: 2026-01-01, define_tariff: {tariff: u, lines: {a: {tiers: [{flt: 1}]}}}", "did you mean “flat”?"),
    ("on: 2026-01-01, book: {contract: C1, from: 2026-01-01}", "timeline.1.book: `article` is missing"),
    ("on: 2026-01-01, book: {contract: C1, article: a, from: 2026-01-01, bill: soon}", "not one of next, now"),
    ("on: 2026-01-01, change_quantity: {contract: C1, article: a, quantity: two}", "“two” is no number"),
    ("on: 2026-01-01, end_line: {contract: C1, article: a, until: 2026-06-31}", "there is no such day"),
    ("on: 2026-01-01, usage: [C1]", "timeline.1.usage.1 is a mapping, not “C1”"),
    ("on: 2026-01-01, usage: C1", "timeline.1.usage is a mapping, not “C1”"),
    ("on: 2026-01-01, usage: {contract: C1, artikel: a}", "unknown key timeline.1.usage.artikel"),
    ("on: 2026-01-01, usage: [{contract: C1}, {quantity: 1_0}]", "timeline.1.usage.2.quantity: “1_0” is no number"),
    ("on: 2026-01-01, usage: {revision: 1.5}", "“1.5” is no whole number"),
    ("on: 2026-01-01, usage: {at: 2026-01-01 10:00:00}", "has no offset"),
    ("on: 2026-01-01, usage: {attributes: [a]}", "timeline.1.usage.attributes is a mapping, not a list"),
    ("on: 2026-01-01, usage: {attributes: {n: .nan}}", "timeline.1.usage.attributes.n: “.nan” is no number"),
    ("on: 2026-01-01, usage: {attributes: {n: 2026-02-30}}", "there is no such day"),
    ("on: 2026-01-01, import_usage: {supplier: s}", "timeline.1.import_usage has either `rows` or `file`"),
    ("on: 2026-01-01, import_usage: {rows: []}", "timeline.1.import_usage: `supplier` is missing"),
    ("on: 2026-01-01, import_usage: {supplier: s, file: none.csv}", "there is no file “none.csv”"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: {id: 1}}", "timeline.1.import_usage.rows is a list"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: [{prodct_id: P}]}", "did you mean “product_id”?"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: [{Mengen: 1}]}", "did you mean “Menge”?"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: [{Menge: 0x10}]}", "“0x10” is no number"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: [{Menge: [1]}]}", "a single value is due here, not a list"),
    ("on: 2026-01-01, import_usage: {supplier: s, rows: [{period_end: 2026-02-30}]}", "there is no such day"),
    ("on: 2026-01-01, import_usage: {supplier: s, mapping: {kost: x}, rows: []}", "did you mean “cost”?"),
    ("on: 2026-01-01, import_usage: {supplier: [s], rows: []}", "a text is due here, not a list"),
    ("on: 2026-01-01, interim_bill: {contract: C1, leave_out: usage}", "timeline.1.interim_bill.leave_out is a list"),
    ("on: 2026-01-01, interim_bill: {contract: C1, leave_out: [all]}", "“all” is not one of usage, time, sales_items"),
    ("on: 2026-01-01, change_tariff: {contract: C1, tariff: t, from: 2026-01-01, keep: a}", "keep is a list, not “a”"),
    ("on: 2026-01-01, price_update: {tariff: t, from: 2026-01-01, lines: {a: x}}", "“x” is no number"),
    ("on: 2026-01-01, credit: {document: I1, lines: [{lin: 1}]}", "unknown key timeline.1.credit.lines.1.lin"),
    ("on: 2026-01-01, credit: {document: I1, lines: [{net: 1}]}", "timeline.1.credit.lines.1: `line` is missing"),
    ("on: 2026-01-01, credit: {document: I1, lines: [{line: one}]}", "“one” is no number"),
    ("on: 2026-01-01, credit: {document: I1, lines: {line: 1}}", "timeline.1.credit.lines is a list, not a mapping"),
    ("on: 2026-01-01, sales_item: {customer: c, lines: [{titel: X}]}", "did you mean “title”?"),
    ("on: 2026-01-01, sales_item: {customer: c, lines: [{price: Infinity}]}", "“Infinity” is no number"),
    ("on: 2026-01-01, sales_item: {customer: c}", "timeline.1.sales_item: `lines` is missing"),
    ("on: 2026-01-01, log_time: {ticket: T1, minutes: ten}", "“ten” is no number"),
    ("on: 2026-01-01, confirm_numbering: {kind: invoice, format: R, next: 1.5}", "“1.5” is no whole number"),
    ("on: 2026-01-01, order: {tariff: t, customer: c, articles: [a]}", "timeline.1.order.articles is a mapping"),
    ("on: 2026-01-01, expect: []", "timeline.1.expect is a mapping, not a list"),
    ("on: 2026-01-01, expect: {document: []}", "unknown key timeline.1.expect.document: did you mean “documents”?"),
    ("on: 2026-01-01, expect: {documents: {net: 1}}", "timeline.1.expect.documents is a list, not a mapping"),
    ("on: 2026-01-01, expect: {documents: [{netto: 1}]}", "unknown key timeline.1.expect.documents.1.netto"),
    ("on: 2026-01-01, expect: {documents: [{net: 0x1}]}", "“0x1” is no number"),
    ("on: 2026-01-01, expect: {documents: [{lines: {net: 1}}]}", "documents.1.lines is a list, not a mapping"),
    ("on: 2026-01-01, expect: {documents: [{lines: [{nett: 1}]}]}", "did you mean “net”?"),
    ("on: 2026-01-01, expect: {documents: [{taxes: [{rat: 19}]}]}", "did you mean “rate”?"),
    ("on: 2026-01-01, expect: {contracts: [C1]}", "timeline.1.expect.contracts is a mapping, not a list"),
    ("on: 2026-01-01, expect: {contracts: {C1: {end: 2026-01-01}}}", "did you mean “ends”?"),
    ("on: 2026-01-01, expect: {contracts: {C1: {lines: [a]}}}", "contracts.C1.lines is a mapping, not a list"),
    ("on: 2026-01-01, expect: {usage: {exceptions: [{reson: x}]}}", "did you mean “reason”?"),
    ("on: 2026-01-01, expect: {usage: {exceptions: [unknown_key]}}", "exceptions.1 is a mapping, not “unknown_key”"),
    ("on: 2026-01-01, expect: {waiting: few}", "“few” is no number"),
    ("on: 2026-01-01, expect: {balance: {C1: [1]}}", "a number is due here, not a list"),
    ("on: 2026-01-01, expect: {payments: {I1: {opn: 1}}}", "did you mean “open”?"),
    ("on: 2026-01-01, expect: {onboarding: {without_contracts: []}}", "did you mean “without_contract”?"),
    ("on: 2026-01-01, expect: {error: [invalid]}", "a text is due here, not a list"),
    ("on: 2026-01-01, expect: {alerts: [{kin: cap}]}", "did you mean “kind”?"),
]


@pytest.mark.parametrize(("step", "words"), STEPS)
def test_a_wrong_step_is_refused_with_line_and_reason(read: Load, step: str, words: str) -> None:
    error = wrong(read, f"{HEAD}  - {{{step}}}\n")
    assert words in error.reason
    assert error.line == HEAD.count("\n") + 1


def test_the_line_is_that_of_the_key_or_value_itself(read: Load) -> None:
    text = (
        f"{HEAD}  - on: 2026-01-01\n    usage:\n      - {{contract: C1}}\n      - contract: C1\n        quantity: x\n"
    )
    assert wrong(read, text).line == HEAD.count("\n") + 5
    assert wrong(read, text.replace("quantity: x", "quanty: 1")).line == HEAD.count("\n") + 5


def test_steps_out_of_order_are_refused(read: Load) -> None:
    error = wrong(read, f"{HEAD}  - {{on: 2026-02-01, bill: {{}}}}\n  - {{on: 2026-01-31, bill: {{}}}}\n")
    assert error.line == HEAD.count("\n") + 2
    assert "order of time" in error.reason


def test_aliases_of_aliases_are_refused_before_they_are_written_out(read: Load) -> None:
    rows = ["  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "stands for more than" in wrong(read, "scenario: x\nsource:\n" + "\n".join(rows) + "\n").reason


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    latin, large = tmp_path / "latin.yaml", tmp_path / "large.yaml"
    latin.write_bytes("scenario: x\nsource: Größe\n".encode("latin-1"))
    large.write_text("scenario: x\n#" + "x" * MAX_BYTES)
    for path, line, words in ((latin, 2, "UTF-8"), (large, None, "larger than"), (tmp_path, None, "irectory")):
        with pytest.raises(ScenarioFileError) as caught:
            load(path)
        assert (caught.value.line, words in caught.value.reason) == (line, True)
    with pytest.raises(ScenarioFileError) as missing:
        find([tmp_path / "none.yaml"])
    assert "no such file or folder" in missing.value.reason


def test_find_gives_files_and_what_is_below_folders_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/z.yaml", "a/y.yml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.yaml").mkdir()
    assert find([tmp_path]) == [tmp_path / "a/z.yaml", tmp_path / "b.yaml"]
    assert find([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]
