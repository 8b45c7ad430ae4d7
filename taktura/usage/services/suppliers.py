"""Suppliers: their settings, and which article their products stand for."""

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Article
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.customers.addresses import check_email
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import MappingVersion, ProductReference, Supplier
from taktura.usage.queries import checked, fold
from taktura.usage.reader import Mapping

FIELDS = (
    "name",
    "create_customers",
    "create_subscriptions",
    "unit_price_from_import",
    "currency",
    "time_zone",
    "mapping",
    "folder",
    "contact",
    "email",
    "phone",
)
FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@act
def create_supplier(actor: Actor, *, seller: Seller, key: str, name: str = "", **fields: Any) -> Supplier:
    """Make a supplier; currency and time zone are the seller's where not given.

    Raises `Refused`: `conflict` (the key is taken), `invalid`.
    """
    if Supplier.objects.filter(seller=seller, key=key).exists():
        raise Refused("conflict", "There is a supplier “%(key)s” already: choose another key.", key=key, field="key")
    defaults = {"currency": seller.currency, "time_zone": seller.time_zone, "mapping": {}}
    values = defaults | {k: v for k, v in fields.items() if v is not None}
    _check(values)
    _check_folder(values.get("folder", ""), None)
    supplier = Supplier.objects.create(seller=seller, key=key, name=name or key, **values)
    _keep_mapping(actor, supplier)
    record(actor, "create_supplier", f"supplier:{supplier.pk}", {"key": key, **fields})
    return supplier


@act
def change_supplier(actor: Actor, *, supplier: Supplier, **fields: Any) -> None:
    """Write the fields named of a supplier; the others stay. Its key stays for good: records are known by it.

    The mapping holds for files that come from now on; so do currency, time zone and whose price holds. Raises `Refused`
    (`invalid`).
    """
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "A supplier has no field “%(field)s”.", field=sorted(unknown)[0])
    _check(fields)
    _check_folder(fields.get("folder", ""), supplier)
    read_again(supplier)
    before = {name: getattr(supplier, name) for name in fields if getattr(supplier, name) != fields[name]}
    for name, value in fields.items():
        setattr(supplier, name, value)
    supplier.save(update_fields=list(fields))
    if "mapping" in before:
        _keep_mapping(actor, supplier)
    if before:
        after = {name: fields[name] for name in before}
        record(actor, "change_supplier", f"supplier:{supplier.pk}", {"before": before, "after": after})


def _keep_mapping(actor: Actor, supplier: Supplier) -> None:
    """Its mapping is kept as a version of its own."""
    last = MappingVersion.objects.filter(supplier=supplier).order_by("-number").first()
    MappingVersion.objects.create(
        supplier=supplier, number=last.number + 1 if last else 1, mapping=supplier.mapping, since=actor.now,
        by=actor.name[:200],
    )  # fmt: skip


def _check_folder(folder: str, supplier: Supplier | None) -> None:
    """A name of one folder, never a path, which no other supplier has."""
    if not folder:
        return
    if not FOLDER.fullmatch(folder):
        raise Refused(
            "invalid", "A folder is one name of letters, digits, points, hyphens and underscores, without a path.",
            field="folder",
        )  # fmt: skip
    others = Supplier.objects.filter(folder__iexact=folder)
    if (others.exclude(pk=supplier.pk) if supplier else others).exists():
        raise Refused("conflict", "Another supplier has the folder “%(name)s”: choose another name.", name=folder,
                      field="folder")  # fmt: skip


def _check(fields: dict[str, Any]) -> None:
    Mapping.from_dict(fields.get("mapping") or {})
    if "name" in fields and not fields["name"].strip():
        raise Refused("invalid", "A supplier needs a name.", field="name")
    if "currency" in fields and not re.fullmatch(r"[A-Z]{3}", fields["currency"]):
        raise Refused(
            "invalid", "“%(currency)s” is no currency: write its three letters.",
            currency=fields["currency"], field="currency",
        )  # fmt: skip
    check_email(fields.get("email") or "")
    try:
        ZoneInfo(fields.get("time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(
            "invalid", "There is no time zone “%(name)s”: write it as in Europe/Berlin.",
            name=fields["time_zone"], field="time_zone",
        ) from error  # fmt: skip


@act
def set_product_reference(actor: Actor, *, supplier: Supplier, product: str, article: Article) -> ProductReference:
    """Say which article a supplier's product stands for. Raises `Refused` (`invalid`) without a product, or for one
    that is too long as it is compared."""
    if not fold(product):
        raise Refused("invalid", "Name the supplier's product.", field="product")
    checked(product, field="product")
    row, _ = ProductReference.objects.update_or_create(
        supplier=supplier, folded=fold(product), defaults={"product": product.strip(), "article": article}
    )
    record(actor, "set_product_reference", f"supplier:{supplier.pk}", {"product": row.product, "article": article.key})
    return row


@act
def remove_product_reference(actor: Actor, *, reference: ProductReference) -> None:
    """A supplier's product stands for no article any more; what is matched stays where it is."""
    supplier, product = reference.supplier_id, reference.product
    reference.delete()
    record(actor, "remove_product_reference", f"supplier:{supplier}", {"product": product})
