"""Many supplier subscriptions tied to the lines that were made for them."""

from collections.abc import Mapping, Sequence

from taktura.audit.acts import act
from taktura.audit.services import record_all
from taktura.catalog.models import Article
from taktura.contracts.models import ContractLine
from taktura.kit.actor import Actor
from taktura.usage.models import ProductReference, SubscriptionLink, SupplierSubscription
from taktura.usage.queries import fold


@act
def tie_lines(actor: Actor, *, ties: Sequence[tuple[SupplierSubscription, ContractLine]]) -> None:
    """Tie subscriptions to new lines that take usage, in the caller's act and a fixed number of queries."""
    SubscriptionLink.objects.bulk_create(SubscriptionLink(subscription=one, line=line) for one, line in ties)
    record_all(actor, [
        ("link", f"supplier:{one.supplier_id}", {"subscription": one.reference, "line": line.pk}) for one, line in ties
    ])  # fmt: skip


@act
def note_products(actor: Actor, *, products: Mapping[tuple[int, str], Article]) -> None:
    """Let suppliers' products (by supplier and product) stand for articles from now on, where they stand for none yet;
    in the caller's act."""
    ProductReference.objects.bulk_create(
        [
            ProductReference(supplier_id=supplier, product=product, folded=fold(product), article=article)
            for (supplier, product), article in products.items()
        ],
        ignore_conflicts=True,
    )
    record_all(actor, [
        ("set_product_reference", f"supplier:{supplier}", {"product": product, "article": article.key})
        for (supplier, product), article in products.items()
    ])  # fmt: skip
