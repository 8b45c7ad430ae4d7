"""What a supplier's row is known by: its own id, or subscription, product and period; equal ones by their number."""

import hashlib

from taktura.usage.queries import fold
from taktura.usage.reader import Row

MAX_ID = 300


def id_of(row: Row, subscription: str | None = None, product: str | None = None) -> str:
    """The id of a row; `subscription` and `product` are its references folded, where they are known already."""
    if row.id:
        return row.id
    subscription = fold(row.subscription_id) if subscription is None else subscription
    product = fold(row.product_id) if product is None else product
    return f"{subscription}|{product}|{row.first_day}|{row.end_day}"


class Repeats:
    """How often each id came in a file, where equal ones are told apart by their number (`number_repeats`)."""

    def __init__(self, counts: bool) -> None:
        self._seen: dict[str, int] | None = {} if counts else None

    def told_apart(self, identity: str) -> str:
        """The id of a row, with its number from the second on."""
        if self._seen is None:
            return identity
        number = self._seen[identity] = self._seen.get(identity, 0) + 1
        if number == 1:
            return identity
        told = f"{identity}#{number}"
        return told if len(told) <= MAX_ID else hashlib.sha256(told.encode()).hexdigest()
