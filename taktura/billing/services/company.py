"""Making a seller with what it begins with; changing its settings, knowing what is billed by them."""

from typing import Any

from taktura.audit.acts import act
from taktura.catalog.keys import give_usual_keys
from taktura.core.errors import Refused
from taktura.customers import services
from taktura.customers.models import Seller
from taktura.customers.sellers import FIXED, changed, checked
from taktura.invoices.models import Document
from taktura.kit.actor import Actor


@act
def create_seller(actor: Actor, **fields: Any) -> Seller:
    """Make a seller with the usual keys (`customers.services.create_seller`, which raises `Refused`)."""
    made = services.create_seller(actor, **fields)
    give_usual_keys(actor, seller=made)
    return made


@act
def change_seller(actor: Actor, *, seller: Seller, **fields: Any) -> Seller:
    """Write the settings named of a seller; the others stay. Gives it as it is now.

    Raises `Refused`: `invalid` (a value), `conflict` (documents are issued, and from this setting follows what they
    charge: settlement would find another amount for what is billed).
    """
    seller.refresh_from_db()
    new = changed(seller, checked(fields))
    fixed = [name for name in FIXED if name in new]
    if fixed and is_fixed(seller):
        raise Refused("conflict", "This setting cannot change any more: documents are issued by it.", field=fixed[0])
    return services.change_seller(actor, seller=seller, **fields)


def is_fixed(seller: Seller) -> bool:
    """Whether the settings from which charges follow can change no more."""
    return Document.objects.filter(seller=seller).exists()
