"""What happened to a contract, who did it and why: the log, told in sentences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.accounts.models import User
from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog.queries import titles_by_key
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract
from taktura.contracts.queries import quantity_changes
from taktura.core import facts
from taktura.core.facts import Conditions
from taktura.invoices.confirmations import ACTIONS
from taktura.invoices.models import Document
from taktura.office import show
from taktura.office.contracts.consequence import papers_of
from taktura.office.contracts.frame import answer, find
from taktura.office.contracts.own import told as told_conditions
from taktura.office.history import action
from taktura.office.page import actor_of, page, seller_of, today_of

ENTRIES = 50
Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One change: when, who, what (a sentence), why, and the documents that it made (id, number)."""

    pk: int
    at: datetime
    who: str
    text: str
    why: str
    documents: list[tuple[int, str]]
    action: str


@dataclass(frozen=True, slots=True)
class _Names:
    """What stored keys are called, and in which currency prices are."""

    articles: dict[str, str]
    tariffs: dict[str, str]
    users: dict[str, str]
    numbers: dict[int, str]
    currency: str


@page("contracts.view")
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """All changes of a contract, the newest first."""
    found = find(request, pk)
    rows = LogEntry.objects.filter(subject=f"contract:{pk}").order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal():
        rows = rows.filter(pk__lt=int(before))
    entries = list(rows[: ENTRIES + 1])
    more = entries[ENTRIES - 1].pk if len(entries) > ENTRIES else None
    stands = billing.standing(actor_of(request), contract=found)
    shown = _commands(told(request, entries[:ENTRIES], found, stands.contract))
    return answer(request, found, "contract_history", "contracts/history.html", stands, entries=shown, more=more)


@page("contracts.view")
def change(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """One change as it was made: what, who, why, and the documents that it issued, line by line."""
    found = find(request, pk)
    first = get_object_or_404(LogEntry, pk=entry, subject=f"contract:{pk}")
    # What one command wrote has one instant and one actor.
    rows = LogEntry.objects.filter(subject__in=_subjects(first), at=first.at, actor=first.actor).order_by("id")
    entries = list(rows)
    documents = [pk for e in entries for pk in e.data.get("documents", ())]
    values = load_one(found)
    return answer(
        request,
        found,
        "contract_history",
        "contracts/change.html",
        values,
        happened=told(request, entries[:1], found, values),
        papers=papers_of(documents),
        take_back=_held(found, first),
        confirmed=first.action in ACTIONS,
        entry=first.pk,
    )


def _subjects(entry: LogEntry) -> list[str]:
    """The contracts that a command has settled: a transfer both."""
    other = {"transfer": "to", "take_over": "of"}.get(entry.action)
    return [entry.subject, *([f"contract:{entry.data[other]}"] if other else [])]


def _held(contract: Contract, entry: LogEntry) -> int | None:
    """The change of quantity that an entry tells of, if it can be taken back."""
    pk = entry.data.get("change")
    if entry.action != "change_quantity" or pk is None:
        return None
    return pk if quantity_changes(contract).filter(pk=pk).exists() else None


def _commands(rows: list[Happened]) -> list[Happened]:
    """Entries, the newest first, with what one command wrote as one: its first sentence, all its documents."""
    found: list[Happened] = []
    for row in rows:
        same = bool(found) and (found[-1].at, found[-1].who) == (row.at, row.who)
        if same and not row.documents and found[-1].action != "send_confirmation":
            found[-1] = replace(row, documents=found[-1].documents, why=row.why or found[-1].why)
        else:
            found.append(row)
    return found


def entry_of(contract: Contract, at: datetime) -> int | None:
    """The first entry that a command has just written of a contract."""
    rows = LogEntry.objects.filter(subject=f"contract:{contract.pk}", at=at).order_by("id")
    return rows.values_list("pk", flat=True).first()


def told(
    request: HttpRequest, entries: Iterable[LogEntry], contract: Contract, values: facts.Contract
) -> list[Happened]:
    """Entries as sentences, in three queries at most. `values`: the contract's facts, which know its articles'
    titles."""
    rows = list(entries)
    seller = seller_of(request)
    documents = {d for e in rows for d in e.data.get("documents", ())}
    emails = {e.actor.removeprefix("user:") for e in rows if e.actor.startswith("user:")}
    names = _Names(
        articles={x.article: x.terms[-1][1].title for x in values.lines},
        tariffs=titles_by_key(seller.pk, {e.data["tariff"] for e in rows if "tariff" in e.data}, today_of(request)),
        users=dict(User.objects.filter(email__in=emails).values_list("email", "name")),
        numbers=dict(Document.objects.filter(pk__in=documents).values_list("pk", "number")),
        currency=contract.currency,
    )
    return [_happened(e, names) for e in rows]


def _happened(entry: LogEntry, names: _Names) -> Happened:
    who = show.actor(entry.actor)
    tell = SENTENCES.get(entry.action)
    return Happened(
        pk=entry.pk,
        at=entry.at,
        who=names.users.get(who, who),
        text=tell(entry.data, names) if tell else action(entry.action),
        why=str(entry.data.get("memo") or (entry.action != "change_conditions" and entry.data.get("reason")) or ""),
        documents=[(d, names.numbers[d]) for d in entry.data.get("documents", ()) if d in names.numbers],
        action=entry.action,
    )


def _day(data: Data, name: str) -> str:
    value = data.get(name)
    return show.day(date.fromisoformat(value)) if value else show.NONE


def _last(data: Data, name: str) -> str:
    value = data.get(name)
    return show.last_day(date.fromisoformat(value)) if value else show.NONE


def _number(value: Any) -> str:
    return show.quantity(Decimal(str(value)))


def _article(data: Data, names: _Names) -> str:
    key = str(data.get("article") or "")
    return names.articles.get(key, key)


def _sign(data: Data, names: _Names) -> str:
    key = str(data["tariff"])
    text = _("Signed on the tariff “%(tariff)s” from %(day)s.") % {
        "tariff": names.tariffs.get(key, key), "day": _day(data, "start")
    }  # fmt: skip
    booked = [f"{_number(n)} × {names.articles.get(k, k)}" for k, n in (data.get("quantities") or {}).items()]
    if booked:
        text = f"{text} " + _("Booked at once: %(articles)s.") % {"articles": ", ".join(booked)}
    if data.get("coupon"):
        text = f"{text} " + _("Coupon %(coupon)s.") % {"coupon": data["coupon"]}
    return text


def _book(data: Data, names: _Names) -> str:
    named = {"quantity": _number(data["quantity"]), "article": _article(data, names), "day": _day(data, "from")}
    if data.get("until"):
        named["last"] = _last(data, "until")
        return _("%(quantity)s × “%(article)s” booked from %(day)s to %(last)s.") % named
    return _("%(quantity)s × “%(article)s” booked from %(day)s.") % named


def _quantity(data: Data, names: _Names) -> str:
    named = {"quantity": _number(data["quantity"]), "article": _article(data, names), "day": _day(data, "from")}
    return _("Quantity of “%(article)s” is %(quantity)s from %(day)s.") % named


def _conditions(data: Data, names: _Names) -> str:
    own = Conditions(
        _given(data, "price"), _given(data, "discount") or Decimal(0), str(data.get("reason") or ""),
        _given(data, "minimum_quantity"),
    )  # fmt: skip
    named = {
        "article": _article(data, names), "day": _day(data, "from"),
        "conditions": told_conditions(own, names.currency),
    }  # fmt: skip
    return _("Own conditions of “%(article)s” from %(day)s: %(conditions)s.") % named


def _given(data: Data, name: str) -> Decimal | None:
    value = data.get(name)
    return Decimal(str(value)) if value is not None else None


def _taken_back(data: Data, names: _Names) -> str:
    named = {"quantity": _number(data["quantity"]), "article": _article(data, names), "day": _day(data, "from")}
    return _("Change of the quantity of “%(article)s” to %(quantity)s from %(day)s taken back.") % named


def _end(data: Data, names: _Names) -> str:
    return _("“%(article)s” ends, its last day is %(day)s.") % {
        "article": _article(data, names), "day": _last(data, "until")
    }  # fmt: skip


def _notice(data: Data, names: _Names) -> str:
    named = {"received": _day(data, "received"), "day": _last(data, "ends")}
    if data.get("line"):
        return _("Notice of a contract line received on %(received)s; its last day is %(day)s.") % named
    return _("Notice received on %(received)s; the last day is %(day)s.") % named


def _withdrawn(data: Data, names: _Names) -> str:
    if data.get("line"):
        text = _("Notice of a contract line withdrawn; it would have ended with %(day)s.")
        return text % {"day": _last(data, "ended")}
    return _("Notice withdrawn; the contract would have ended with %(day)s.") % {"day": _last(data, "ended")}


def _sent(data: Data, names: _Names) -> str:
    return _("Confirmation mailed to %(to)s.") % {"to": data["to"]}


def _pause(data: Data, names: _Names) -> str:
    if data.get("until"):
        return _("Paused from %(day)s to %(last)s.") % {"day": _day(data, "from"), "last": _last(data, "until")}
    return _("Paused from %(day)s.") % {"day": _day(data, "from")}


def _resume(data: Data, names: _Names) -> str:
    return _("Resumed from %(day)s.") % {"day": _day(data, "from")}


def _tariff(data: Data, names: _Names) -> str:
    key = str(data["tariff"])
    named = {"tariff": names.tariffs.get(key, key), "day": _day(data, "from")}
    return _("Changed to the tariff “%(tariff)s” from %(day)s.") % named


def _transfer(data: Data, names: _Names) -> str:
    named = {"day": _day(data, "from"), "customer": data["to_customer"], "contract": data["to_contract"]}
    return _("Transferred to customer %(customer)s from %(day)s, as contract %(contract)s.") % named


def _take_over(data: Data, names: _Names) -> str:
    named = {"day": _day(data, "start"), "contract": data["from_contract"]}
    return _("Taken over from %(day)s: it was contract %(contract)s of another customer.") % named


def _redeem(data: Data, names: _Names) -> str:
    return _("Coupon %(coupon)s redeemed.") % {"coupon": data["coupon"]}


def _conversion(data: Data, names: _Names) -> str:
    rule = show.word("conversion", data["conversion"] or "none")
    return _("Suppliers' amounts in another currency: %(rule)s.") % {"rule": rule}


def _extend(data: Data, names: _Names) -> str:
    named = {
        "quantity": _number(data["quantity"]), "article": _article(data, names), "day": _day(data, "from"),
        "reference": data["subscription"],
    }  # fmt: skip
    return _("Extended by %(quantity)s × “%(article)s” from %(day)s, from %(reference)s of the supplier.") % named


def _billed(data: Data, names: _Names) -> str:
    count = len(data.get("documents", ()))
    return ngettext("Billed at once: one document.", "Billed at once: %(count)s documents.", count) % {"count": count}


def _interim(data: Data, names: _Names) -> str:
    return _("Interim bill of %(day)s.") % {"day": _day(data, "on")}


SENTENCES: dict[str, Callable[[Data, _Names], str]] = {
    "sign": _sign,
    "book": _book,
    "change_quantity": _quantity,
    "change_conditions": _conditions,
    "take_back_quantity": _taken_back,
    "end_line": _end,
    "give_notice": _notice,
    "withdraw_notice": _withdrawn,
    "send_confirmation": _sent,
    "pause": _pause,
    "resume": _resume,
    "change_tariff": _tariff,
    "transfer": _transfer,
    "take_over": _take_over,
    "bill_transfer": _billed,
    "redeem": _redeem,
    "allow_conversion": _conversion,
    "extend_contract": _extend,
    "bill_booking": _billed,
    "bill_change": _billed,
    "bill_end": _billed,
    "bill_notice": _billed,
    "bill_pause": _billed,
    "bill_change_of_tariff": _billed,
    "interim_bill": _interim,
}
