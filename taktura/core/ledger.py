"""What has been billed (the right side of R5.1): the issued charges of one contract, indexed."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from taktura.core.facts import Charge, Key
from taktura.core.periods import Range, subtract
from taktura.core.tax import Vat


class Ledger:
    """Issued charges, by key and by what they credit. Amounts in minor units.

    The two sorts are kept apart: `covers` and what is named by days look at charges by days, all the others
    at charges by amount, since a change of tariff may turn a key from one sort into the other.

    A credit by hand without `rebill` is a waiver: it lowers what is left of its line, but the days it names stay
    billed, and sums by key leave it out (`gross`), as settlement lowers what is expected instead (R5.4).
    """

    def __init__(self, billed: Iterable[Charge]) -> None:
        self.charges = sorted(billed, key=lambda c: c.id)
        self._by_key: dict[Key, list[Charge]] = {}
        self._by_days: dict[Key, list[Charge]] = {}
        self._back: dict[int, list[Charge]] = {}
        self._taken: dict[int, int] = {}
        for charge in self.charges:
            sort = self._by_key if charge.rate is None else self._by_days
            sort.setdefault(charge.key, []).append(charge)
            if charge.credits is not None:
                self._back.setdefault(charge.credits, []).append(charge)

    @property
    def days_keys(self) -> list[Key]:
        """The keys billed by days."""
        return list(self._by_days)

    @property
    def shares(self) -> Mapping[Key, Mapping[int, int]]:
        """Shares of amount coupons fixed by what is billed (R10.2); usage takes what the others leave."""
        return {c.key: dict(c.shares) for c in self.charges if c.shares and c.credits is None and c.key.kind != "usage"}

    def known(self, key: Key) -> bool:
        """Whether anything of the key was billed."""
        return key in self._by_key

    def known_by_days(self, key: Key) -> bool:
        """The same of a key by days."""
        return key in self._by_days

    def gross(self, key: Key) -> int:
        """The sum billed of a key, credits by hand that waive left out."""
        return sum(c.amount for c in self._by_key.get(key, ()) if not _waives(c))

    def net(self, key: Key) -> int:
        """The sum billed of a key less all credits."""
        return sum(c.amount for c in self._by_key.get(key, ()))

    def net_by_days(self, key: Key) -> int:
        """The same of a key by days."""
        return sum(c.amount for c in self._by_days.get(key, ()))

    def waived(self, keys: Iterable[Key]) -> int:
        """What was credited by hand without `rebill`, as a positive number."""
        return -sum(c.amount for k in set(keys) for c in self._by_key.get(k, ()) if _waives(c))

    def waived_by_days(self, key: Key) -> int:
        """The same of a key by days."""
        return -sum(c.amount for c in self._by_days.get(key, ()) if _waives(c))

    def quantity(self, key: Key) -> Decimal:
        """The quantity billed of a key by amount."""
        whole = Decimal(0)
        spans: set[tuple[int, int | None]] = set()
        for c in self._by_key.get(key, ()):
            if _waives(c) or (c.document, c.credits) in spans:  # one line, cut where the VAT rate changes
                continue
            spans.add((c.document, c.credits))
            whole += c.quantity
        return whole

    def vat_of(self, key: Key) -> Vat | None:
        """The VAT at which a key was billed last."""
        rows = self._by_key.get(key)
        return rows[-1].vat if rows else None

    def price_of(self, key: Key) -> Decimal | None:
        """The price of one at which a key was settled last, None where it has none."""
        prices = [c.unit_price for c in self._by_key.get(key, ()) if not c.by_hand and c.unit_price is not None]
        return prices[-1] if prices else None

    def last(self, key: Key) -> Charge:
        """The newest charge of a key."""
        return self._by_key[key][-1]

    def positive(self, key: Key) -> list[Charge]:
        """The charges of a key that can be credited, oldest first."""
        return [c for c in self._by_key.get(key, ()) if c.credits is None and c.amount > 0]

    def unit_keys(self, place: tuple[date, date], vat: Vat) -> set[Key]:
        """The billed top-up and relief at one VAT of the unit at a place: the starts of its phase and its own."""
        return {k for k in self._by_key if k.line is None and (k.phase, k.start) == place and k.vat == vat}

    def left(self, charge: Charge) -> int:
        """What was billed less all credits on it, by hand too (R5.4).

        A relief that names a line by days is a deduction of its own, which goes back by its own key.
        """
        back = [c for c in self._back.get(charge.id, ()) if charge.rate is None or c.by_hand or c.key == charge.key]
        credited = sum(-c.amount - sum(again.amount for again in self._back.get(c.id, ())) for c in back)
        return max(0, charge.amount - credited - self._taken.get(charge.id, 0))

    def take(self, charge: Charge, amount: int) -> None:
        """Remember a credit of the settlement under way."""
        self._taken[charge.id] = self._taken.get(charge.id, 0) + amount

    def _stands_no_more(self, credit: Charge) -> bool:
        """Whether a credit takes no days back (any more): a waiver, and one that is itself credited to be billed again,
        as a line of a netted document may be."""
        return _waives(credit) or any(c.by_hand and c.rebill for c in self._back.get(credit.id, ()))

    def covers(self, key: Key) -> list[tuple[date, date, Charge]]:
        """The days of a by-days key that are billed, each with its charge: less what settlement (or a credit with
        `rebill`) took back. Where a later charge covers the same day it stands before the earlier."""
        rows: list[tuple[date, date, Charge]] = []
        later: list[Range] = []
        for charge in reversed(self._by_days.get(key, [])):
            if charge.credits is not None:
                continue
            back = (c for c in self._back.get(charge.id, ()) if c.key == key and not self._stands_no_more(c))
            holes = [(c.first, c.end) for c in back]
            open_days = subtract(subtract([(charge.first, charge.end)], holes), later)
            rows += [(a, b, charge) for a, b in open_days]
            later += open_days
        return sorted(rows, key=lambda r: r[0])


def _waives(charge: Charge) -> bool:
    return charge.by_hand and not charge.rebill
