"""A contract's own conditions of its lines in words (R7.5)."""

from django.utils.translation import gettext as _

from taktura.core.facts import Conditions, Line
from taktura.office import show


def agreed(line: Line | Conditions, currency: str) -> list[str]:
    """What a line costs apart from the tariff; of a line those conditions that it has from its beginning."""
    found = []
    if line.price is not None:
        found.append(_("own price %(price)s") % {"price": show.price(line.price, currency)})
    if line.discount:
        text = _("%(rate)s discount") % {"rate": show.rate(line.discount)}
        found.append(f"{text} ({line.reason})" if line.reason else text)
    if line.minimum_quantity is not None:
        found.append(_("at least %(quantity)s") % {"quantity": show.quantity(line.minimum_quantity)})
    return found


def told(line: Line | Conditions, currency: str) -> str:
    """The same in one text, also where nothing is agreed."""
    return ", ".join(agreed(line, currency)) or _("as in the tariff")
