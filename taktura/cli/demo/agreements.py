"""Who has what: the demo's contracts, as plain data."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract as it is signed. `month` and `day` say when it begins, counted from the present month.

    What began before the year that is told was billed by another system until then. `size` is how much its customer
    uses, in percent of what is usual in its tariff (`HABITS`).
    """

    key: str
    customer: str
    tariff: str
    month: int
    day: int = 1
    size: int = 100
    quantities: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, dict[str, Any]] = field(default_factory=dict)
    coupon: str | None = None


_FRAME = {"gespraech": {"price": "0.99", "reason": "Rahmenvertrag der Reedereien"}}
_FOUNDER = {"grundgebuehr": {"discount": "10", "reason": "Gründungskundin"}}
_TRADE = {"rufnummer": {"price": "3.50", "reason": "Agreed with M. Lindgren"}}

# In the order of signing: the first of them began before the year that is told.
AGREEMENTS = (
    Agreement("V-kraus", "kraus", "telefon", -12, quantities={"rufnummer": "2"}),
    Agreement("V-hausverwaltung", "hausverwaltung", "telefon", -12, size=200),
    Agreement("V-lindqvist", "lindqvist", "telefon", -12, size=20),
    Agreement("V-praxis", "praxis", "buero", -12, size=150),
    Agreement("V-northwind", "northwind", "buero", -12, size=90),
    Agreement("V-suederelbe", "suederelbe", "telefon-premium", -31, size=140, quantities={"rufnummer": "8"}),
    Agreement("B-hausverwaltung", "hausverwaltung", "buero-jahr", -26, quantities={"schrank": "3"}),
    Agreement("V-wietzendorf", "wietzendorf", "telefon-flat", -22, size=230, quantities={"rufnummer": "1"}),
    Agreement("V-altland", "altland", "telefon-premium", -28, 15, size=70, quantities={"rufnummer": "3"}),
    Agreement("V-altland-jork", "altland", "telefon", -28, 15, size=60),
    Agreement("B-altland", "altland", "buero", -20, size=150),
    Agreement("V-zahnarzt", "zahnarzt", "praxis", -17, size=140),
    Agreement("V-broemmelkamp", "broemmelkamp", "telefon-flat", -16, size=40),
    Agreement("V-sjoegren", "sjoegren", "telefon", -15, size=220, conditions=_FRAME),
    Agreement("V-koetter", "koetter", "telefon", -36, size=70, conditions=_FOUNDER, coupon="TREUE5"),
    Agreement("V-nystrom", "nystrom", "telefonpassning", -18, quantities={"rufnummer": "1"}),
    Agreement("V-akesson", "akesson", "telefonpassning", -14, size=60),
    Agreement("V-thistlewood", "thistlewood", "answering", -19, size=115, quantities={"rufnummer": "2"}),
    Agreement("V-ashcombe", "ashcombe", "answering", -13, conditions=_TRADE, quantities={"rufnummer": "4"}),
    Agreement("B-weber", "weber", "buero", -24, size=20),
    Agreement("V-nordlicht", "nordlicht", "telefon", -14, size=120),
    Agreement("V-mansken", "mansken", "telefonpassning", -13, size=50),
    Agreement("V-physio", "physio", "praxis", -11, 15),
    Agreement("V-weiss", "weiss", "telefon", -11, size=160, quantities={"rufnummer": "1"}),
    Agreement("V-hansen", "hansen", "telefon", -10, quantities={"rufnummer": "3"}),
    Agreement("V-tierklinik", "tierklinik", "praxis", -10, size=120),
    Agreement("V-quast", "quast", "telefon", -9, size=50, coupon="WILLKOMMEN"),
    Agreement("V-moewenschrei", "moewenschrei", "telefon", -9, size=30),
    Agreement("V-tandlakare", "tandlakare", "telefonpassning", -9, size=130),
    Agreement("V-pemberton", "pemberton", "answering", -9, size=70),
    Agreement("B-yilmaz", "yilmaz", "buero", -8, 10, size=10),
    Agreement("V-sjostrand", "sjostrand", "telefonpassning", -8, size=90),
    Agreement("B-lorenz", "lorenz", "buero-jahr", -7, 15, size=30),
    Agreement("V-rectory", "rectory", "answering", -7, size=40),
    Agreement("V-skarholmen", "skarholmen", "telefonpassning", -6, size=110, coupon="WILLKOMMEN"),
    Agreement("V-saltmarsh", "saltmarsh", "answering", -6, size=60),
    Agreement("V-kingfisher", "kingfisher", "answering-flat", -5, size=120),
    Agreement("V-ljungby", "ljungby", "telefonpassning", -5, size=80),
    Agreement("B-astrom", "astrom", "buero", -4, size=10),
    Agreement("B-cholmondeley", "cholmondeley", "buero", -3, 20, size=20),
    Agreement("V-petersen", "petersen", "telefon", -2, 5, size=60),
)

# Usage of a month in a tariff: by key, how many times at least and at most.
HABITS: dict[str, dict[str, tuple[int, int]]] = {
    "telefon": {"call": (30, 45), "dictation": (3, 7), "search": (10, 25)},
    "telefon-start": {"call": (15, 25), "dictation": (1, 3)},
    "telefon-flat": {"call": (60, 80), "dictation": (1, 4)},
    "telefon-premium": {"call": (110, 140), "dictation": (8, 14), "search": (15, 30)},
    "praxis": {"call": (50, 70), "appointment": (45, 80)},
    "buero": {"scan": (30, 45), "parcel": (1, 5)},
    "buero-jahr": {"scan": (15, 30), "room": (2, 5)},
    "telefonpassning": {"call": (30, 45), "dictation": (2, 5), "search": (8, 16)},
    "answering": {"call": (45, 60), "dictation": (3, 6), "search": (10, 20)},
    "answering-flat": {"call": (50, 70)},
}
