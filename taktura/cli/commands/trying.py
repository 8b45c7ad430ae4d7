"""`taktura what-if`: what past months would have brought under another tariff."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taktura.cli.commands.context import actor_now, as_date, find_seller, open_database, seller_option
from taktura.cli.show import _, amount, console, number, progress, show_problems, show_table
from taktura.core.money import places

if TYPE_CHECKING:
    from taktura.billing.what_if import Outcome
    from taktura.customers.models import Seller

MONTH = click.DateTime(formats=["%Y-%m"])
ROWS_SHOWN = 30


@click.command("what-if", short_help="What past months would have brought under another tariff.")
@click.argument("tariff_key", metavar="TARIFF")
@click.option("--from", "first", type=MONTH, required=True, metavar="MONTH", help="The first month: 2026-01.")
@click.option("--to", "last", type=MONTH, required=True, metavar="MONTH", help="The last month, counted too.")
@click.option("--against", metavar="TARIFF|FILE", help="Another tariff, or a file with the fields of one.")
@click.option("--customer", "customer_keys", multiple=True, metavar="KEY", help="Only this one; several times: these.")
@click.option("--list-prices", is_flag=True, help="Leave out what contracts have agreed: prices, discounts, coupons.")
@seller_option
def what_if(
    tariff_key: str,
    first: datetime,
    last: datetime,
    against: str | None,
    customer_keys: tuple[str, ...],
    list_prices: bool,
    seller_name: str | None,
) -> None:
    """Rate past months of the contracts under TARIFF by another tariff, or by its own newest version.

    Nothing is changed. What differs most stands first.
    """
    open_database()
    from taktura.billing.what_if import what_if as rate
    from taktura.catalog.queries import tariff_by_key
    from taktura.customers.queries import customer_by_key

    seller = find_seller(seller_name)
    customers = [customer_by_key(seller.pk, key).pk for key in customer_keys] or None
    with progress(_("contracts")) as told:
        found = rate(
            actor_now(), seller=seller, fields=_fields(seller, against or tariff_key), first_month=as_date(first),
            last_month=as_date(last), customers=customers, tariff=tariff_by_key(seller.pk, tariff_key),
            own_conditions=not list_prices, progress=told,
        )  # fmt: skip
    show_outcome(found)


def _fields(seller: "Seller", against: str) -> dict[str, Any]:
    """The fields of a stored tariff's newest version, or of a file."""
    from taktura.catalog.drafts import fields_of_version
    from taktura.catalog.queries import newest_versions, tariff_by_key
    from taktura.cli.scenarios.load import ScenarioFileError, load_tariff

    path = Path(against)
    if path.suffix in (".yaml", ".yml"):
        try:
            return {"title": path.stem} | load_tariff(path)
        except ScenarioFileError as error:
            raise click.ClickException(str(error)) from error
    (version,) = newest_versions(seller.pk, tariff_by_key(seller.pk, against).pk)
    return fields_of_version(version)


def show_outcome(found: "Outcome") -> None:
    """Show a what-if: the contracts that differ most, the sums of all, what was left out."""
    from taktura.contracts.models import Contract
    from taktura.kit.bulk import among

    digits = places(found.currency)
    rows = found.rows[:ROWS_SHOWN]
    wanted = Contract.objects.filter(pk__in=among({r.contract for r in rows} | {f.contract for f in found.failed}))
    names = {pk: (key, name) for pk, key, name in wanted.values_list("pk", "key", "customer__name")}
    show_table(
        [_("contract"), _("customer"), _("until now"), _("then"), _("difference")],
        [
            [*names[r.contract], amount(r.old, digits), amount(r.new, digits), amount(r.difference, digits)]
            for r in rows
        ],
        right=frozenset({2, 3, 4}),
    )  # fmt: skip
    if len(found.rows) > len(rows):
        console.print(_("and %(count)s more", count=len(found.rows) - len(rows)))
    console.print(
        _(
            "%(count)s contracts: %(old)s until now, %(new)s then, %(difference)s (%(currency)s, net)",
            count=f"{len(found.rows):,}",
            old=amount(found.old, digits),
            new=amount(found.new, digits),
            difference=amount(found.new - found.old, digits),
            currency=found.currency,
        )
    )
    for lost in found.lost:
        console.print(
            _(
                "The tariff has no line for %(title)s: %(records)s records (quantity %(quantity)s), until now %(old)s.",
                title=lost.title, records=f"{lost.records:,}", quantity=number(lost.quantity),
                old=amount(lost.old, digits),
            )
        )  # fmt: skip
    _show_left_out(found)
    show_problems(
        [f"{names[f.contract][0]}: {_(f.text, **dict(f.values))}" for f in found.failed], _("left out")
    )  # fmt: skip


def _show_left_out(found: "Outcome") -> None:
    if found.other_currency:
        console.print(_("Left out, since they have another currency: %(count)s", count=found.other_currency))
    if found.without_period:
        console.print(
            _(
                "Left out, since none of their billing periods ended in these months: %(count)s",
                count=found.without_period,
            )
        )
    if found.parts:
        console.print(
            _("By days, since their periods are others than the tariff's, or longer: %(count)s", count=found.parts)
        )
    if found.running:
        console.print(_("Not over yet, with the usage so far: %(count)s", count=found.running))
