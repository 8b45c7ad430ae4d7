"""The verbs of scenarios, each a call of a service."""

from collections.abc import Callable
from typing import Any

from taktura.billing import services as billing
from taktura.billing.models import SalesItem
from taktura.catalog import services as catalog
from taktura.catalog.queries import version_in_force
from taktura.cli.scenarios.world import World, sign
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import line_for, quantity_change
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.desk import services as desk
from taktura.desk.services.time import waiting_on
from taktura.invoices.services import confirm_numbering, pay
from taktura.kit.exact import decimal
from taktura.usage import services as usage
from taktura.usage.store import Outcome

Args = dict[str, Any]


class NotYet(Exception):
    """A verb or an expectation that the program does not have yet."""


def _today(world: World) -> Any:
    return world.actor.today(world.seller.time_zone)


def _line(world: World, args: Args, contract: Contract | None = None) -> ContractLine:
    contract = contract or world.contract(args["contract"])
    day = args.get("from") or args.get("received") or _today(world)
    return line_for(contract, args["article"], args.get("line"), day)


def _kept(world: World, outcome: Outcome) -> None:
    world.usage = {
        "recorded": outcome.recorded,
        "duplicates": outcome.duplicates,
        "conflicts": outcome.conflicts,
        "exceptions": [{"reason": r} for r in outcome.exceptions],
    }


def define_tariff(world: World, args: Args) -> None:
    catalog.define_tariff(
        world.actor, seller=world.seller, key=args["tariff"], **{k: v for k, v in args.items() if k != "tariff"}
    )


def delete_tariff(world: World, args: Args) -> None:
    catalog.delete_tariff(world.actor, tariff=world.tariff(args["tariff"]))


def sign_contract(world: World, args: Args) -> None:
    sign(world, args["contract"], args)


def order(world: World, args: Args) -> None:
    given = args.get("articles") or {}
    contracts.order(
        world.actor,
        key=args.get("as") or f"{args['customer']}-{args['tariff']}",
        customer=world.customer(args["customer"]),
        tariff=world.tariff(args["tariff"]),
        articles={key: decimal(quantity) for key, quantity in given.items()},
        coupon=world.coupon(args["coupon"]) if args.get("coupon") else None,
        offer_number=args.get("offer_number"),
    )


def book(world: World, args: Args) -> None:
    numbers = {k: decimal(args[k]) for k in ("price", "discount", "minimum_quantity") if args.get(k) is not None}
    texts = {k: args[k] for k in ("memo", "reason") if args.get(k)}
    billing.book(
        world.actor,
        contract=world.contract(args["contract"]),
        now=args.get("bill") == "now",
        article=args["article"],
        start=args["from"],
        end=args.get("until"),
        quantity=decimal(args.get("quantity", 1)),
        name=args.get("as") or "",
        **numbers,
        **texts,
    )


def change_quantity(world: World, args: Args) -> None:
    billing.change_quantity(
        world.actor,
        line=_line(world, args),
        quantity=decimal(args["quantity"]),
        start=args["from"],
        memo=args.get("memo") or "",
    )


def change_conditions(world: World, args: Args) -> None:
    numbers = {k: decimal(args[k]) for k in ("price", "discount", "minimum_quantity") if args.get(k) is not None}
    texts = {k: args[k] for k in ("memo", "reason") if args.get(k)}
    billing.change_conditions(world.actor, line=_line(world, args), start=args["from"], **numbers, **texts)


def take_back_quantity(world: World, args: Args) -> None:
    change = quantity_change(_line(world, args), args["from"])
    billing.take_back_quantity(world.actor, change=change, memo=args.get("memo") or "")


def end_line(world: World, args: Args) -> None:
    billing.end_line(world.actor, line=_line(world, args), until=args["until"])


def record_usage(world: World, args: Any) -> None:
    outcome, _ = billing.record_usage(
        world.actor, seller=world.seller, entries=args if isinstance(args, list) else [args]
    )
    _kept(world, outcome)


def withdraw_usage(world: World, args: Args) -> None:
    source = {"source": str(args["source"])} if args.get("source") else {}
    usage.withdraw_usage(world.actor, seller=world.seller, external_id=str(args["id"]), **source)


def close_period(world: World, args: Args) -> None:
    customers.close_period(world.actor, seller=world.seller, until=args["until"])


def import_usage(world: World, args: Args) -> None:
    supplier = world.supplier(args["supplier"])
    if "file" in args:
        path = world.folder / args["file"]
        received = usage.receive_file(
            world.actor, supplier=supplier, name=path.name, content=path.read_bytes(), mapping=args.get("mapping")
        )
    else:
        received = usage.import_rows(world.actor, supplier=supplier, rows=args["rows"], mapping=args.get("mapping"))
    _kept(world, received.outcome)
    world.usage["exceptions"] += [{"reason": "invalid"} for p in received.problems if p.code != "conflict"]


def link(world: World, args: Args) -> None:
    usage.link(
        world.actor,
        supplier=world.supplier(args["supplier"]),
        reference=str(args["subscription"]),
        line=_line(world, args),
    )


def link_customer(world: World, args: Args) -> None:
    usage.link_customer(
        world.actor,
        supplier=world.supplier(args["supplier"]),
        reference=str(args["reference"]),
        customer=world.customer(args["customer"]),
    )


def extend_contract(world: World, args: Args) -> None:
    usage.extend_contract(
        world.actor,
        supplier=world.supplier(args["supplier"]),
        contract=world.contract(args["contract"]),
        reference=str(args["subscription"]),
        article=args.get("article"),
        start=args.get("from"),
        quantity=decimal(args["quantity"]) if args.get("quantity") is not None else None,
    )


def reprocess(world: World, args: Args) -> None:
    (recorded, reasons), _ = billing.reprocess(world.actor, supplier=world.supplier(args["supplier"]))
    world.usage |= {"recorded": recorded, "exceptions": [{"reason": r} for r in reasons]}


def interim_bill(world: World, args: Args) -> None:
    billing.interim_bill(world.actor, contract=world.contract(args["contract"]), leave_out=args.get("leave_out") or ())


def bill(world: World, args: Args | None) -> None:
    args = args or {}
    outcome = billing.bill(
        world.actor,
        seller=world.seller,
        on=_today(world),
        preview=bool(args.get("preview")),
        contract=world.contract(args["contract"]).pk if args.get("contract") else None,
        customer=world.customer(args["customer"]).pk if args.get("customer") else None,
    )
    failed = [p for p in outcome.problems if p.code == "failed"]
    if failed:
        raise RuntimeError(failed[0].text)
    if args.get("preview"):
        world.show(outcome.ready)


def give_notice(world: World, args: Args) -> None:
    contract = world.contract(args["contract"])
    line = _line(world, args, contract) if args.get("article") else None
    billing.give_notice(
        world.actor, contract=contract, received=args.get("received") or _today(world), wish=args.get("end"), line=line
    )


def withdraw_notice(world: World, args: Args) -> None:
    contract = world.contract(args["contract"])
    line = _line(world, args, contract) if args.get("article") else None
    billing.withdraw_notice(world.actor, contract=contract, line=line)


def change_tariff(world: World, args: Args) -> None:
    settings = {k: args[k] for k in ("keep_billing_dates", "keep_terms", "keep") if args.get(k) is not None}
    billing.change_tariff(
        world.actor,
        contract=world.contract(args["contract"]),
        tariff=world.tariff(args["tariff"]),
        start=args["from"],
        **settings,
    )


def transfer(world: World, args: Args) -> None:
    billing.transfer(
        world.actor,
        contract=world.contract(args["contract"]),
        customer=world.customer(args["customer"]),
        start=args["from"],
        key=args.get("as") or f"{args['contract']}-{args['customer']}",
    )


def pause(world: World, args: Args) -> None:
    billing.pause(world.actor, contract=world.contract(args["contract"]), start=args["from"], end=args.get("until"))


def resume(world: World, args: Args) -> None:
    billing.resume(world.actor, contract=world.contract(args["contract"]), start=args["from"])


def redeem(world: World, args: Args) -> None:
    contracts.give_coupon(world.actor, contract=world.contract(args["contract"]), coupon=world.coupon(args["coupon"]))


def price_update(world: World, args: Args) -> None:
    tariff = world.tariff(args["tariff"])
    base = version_in_force(tariff, args["from"])
    changes = catalog.moved_prices(base, args.get("percent"), args.get("lines"))
    billing.publish_version(world.actor, tariff=tariff, valid_from=args["from"], applies_to="all", changes=changes)


def credit(world: World, args: Args) -> None:
    billing.credit(
        world.actor,
        document=world.document(args["document"]),
        lines=args.get("lines"),
        reason=args.get("reason") or "",
        rebill=bool(args.get("rebill")),
    )


def pay_document(world: World, args: Args) -> None:
    pay(
        world.actor,
        document=world.document(args["document"]),
        amount=decimal(args["amount"]),
        on=args.get("on") or _today(world),
    )


def set_billing_information(world: World, args: Args) -> None:
    customer = world.customer(args["customer"])
    customers.set_billing_information(
        world.actor, customer=customer, name=customer.name, street="Hauptstraße 1", postcode="10115", city="Berlin"
    )


def sales_item(world: World, args: Args) -> None:
    name = str(args.get("as") or "")
    item = billing.sell(world.actor, customer=world.customer(args["customer"]), lines=args["lines"], key=name)
    world.items[name] = item.pk


def move_sales_item(world: World, args: Args) -> None:
    if args["item"] not in world.items:
        raise Refused("not_found", "There is no sales item “%(key)s”.", key=args["item"])
    item = SalesItem.objects.select_related("customer").get(pk=world.items[args["item"]])
    billing.move_sales_item(world.actor, item=item, customer=world.customer(args["customer"]))


def ticket(world: World, args: Args) -> None:
    subject, name = str(args.get("subject") or args["as"]), str(args["as"])
    opened = desk.open_ticket(world.actor, customer=world.customer(args["customer"]), subject=subject)
    world.tickets[name] = opened.number


def log_time(world: World, args: Args) -> None:
    minutes = decimal(args["minutes"])
    if minutes != int(minutes):
        raise Refused("invalid", "Worked time is whole minutes.")
    desk.log_time(
        world.actor, ticket=world.ticket(args["ticket"]), minutes=int(minutes), billable=args.get("billable"),
        worked_on=args.get("worked_on"),
    )  # fmt: skip


def approve_time(world: World, args: Args) -> None:
    desk.approve_time(world.actor, entries=waiting_on(world.ticket(args["ticket"])))


def confirm(world: World, args: Args) -> None:
    confirm_numbering(
        world.actor, seller=world.seller, kind=args["kind"], format=args["format"], next=int(args["next"])
    )


VERBS: dict[str, Callable[[World, Any], None]] = {
    "define_tariff": define_tariff,
    "delete_tariff": delete_tariff,
    "sign": sign_contract,
    "order": order,
    "book": book,
    "change_quantity": change_quantity,
    "change_conditions": change_conditions,
    "take_back_quantity": take_back_quantity,
    "end_line": end_line,
    "usage": record_usage,
    "withdraw_usage": withdraw_usage,
    "close_period": close_period,
    "import_usage": import_usage,
    "link": link,
    "link_customer": link_customer,
    "extend_contract": extend_contract,
    "reprocess": reprocess,
    "interim_bill": interim_bill,
    "bill": bill,
    "give_notice": give_notice,
    "withdraw_notice": withdraw_notice,
    "change_tariff": change_tariff,
    "transfer": transfer,
    "pause": pause,
    "resume": resume,
    "redeem": redeem,
    "price_update": price_update,
    "credit": credit,
    "pay": pay_document,
    "set_billing_information": set_billing_information,
    "sales_item": sales_item,
    "move_sales_item": move_sales_item,
    "ticket": ticket,
    "log_time": log_time,
    "approve_time": approve_time,
    "confirm_numbering": confirm,
}
