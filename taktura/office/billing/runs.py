"""Billing runs: preview, start, outcome, history."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.billing.models import BillingRun, RunProblem
from taktura.billing.queries import due_list
from taktura.billing.services.run import DATES, Outcome, dated
from taktura.billing.tasks import start_run
from taktura.billing.unattended import RUN
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.invoices.models import DocumentState
from taktura.invoices.printing import views_of_ready
from taktura.invoices.services import numbers_of
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.queries import recent_work
from taktura.kit.language import translate
from taktura.office import show
from taktura.office.billing.due import day_of, leave_out, left_out_of
from taktura.office.documents.listing import document_listing, rows_of
from taktura.office.lists import Column, Filter, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, today_of, user_of
from taktura.office.templatetags.office import state

PREVIEWED = 200  # contracts whose documents a preview works out at once …
FEW_PREVIEWED = 50  # … and of how many, where there are more: then it is a sample, and quick
DRAWN = 60  # lines of documents; with fewer a preview shows them as they would be printed
MOST_DRAWN = 20  # documents of one customer that are shown so
PROBLEMS_SHOWN = 200


@page("billing.view")
def preview_run(request: HttpRequest) -> HttpResponse:
    """What a run would issue: sums, what is left out, each document; of one customer as they would be printed."""
    seller, on = seller_of(request), day_of(request)
    chosen = request.GET.get("customer", "")
    customer = get_object_or_404(Customer, pk=int(chosen), seller=seller) if chosen.isdecimal() else None
    actor = actor_of(request)
    outcome, number = billing.preview_run(
        actor, seller=seller, on=on, exclude=left_out_of(request, seller), most=PREVIEWED,
        few=FEW_PREVIEWED, customer=customer.pk if customer else None,
    )  # fmt: skip
    drawn = customer is not None or sum(len(r.draft.lines) for r in outcome.ready) <= DRAWN
    contracts = Contract.objects.in_bulk({r.contract for r in outcome.ready if r.contract is not None})
    return render(
        request,
        "billing/preview.html",
        {
            "on": on,
            "customer": customer,
            "number": number,
            "looked_at": outcome.contracts,
            "whole": outcome.contracts == number,
            "sums": _sums((r.draft.kind, r.currency, r.draft.net, r.draft.gross) for r in outcome.ready),
            "ready": [(r, contracts.get(r.contract or 0)) for r in outcome.ready],
            "views": views_of_ready(actor, outcome.ready[:MOST_DRAWN], on) if drawn else [],
            "problems": _problems_of(outcome),
            "left_out": len(left_out_of(request, seller)),
            "may_run": user_of(request).may("billing.run"),
        },
    )


def _sums(rows: Iterable[tuple[str, str, int, int]]) -> list[dict[str, Any]]:
    """Number and sums of documents (kind, currency, net, gross) by kind and currency."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, currency, net, gross in rows:
        one = found.setdefault(
            (kind, currency), {"kind": kind, "currency": currency, "number": 0, "net": 0, "gross": 0}
        )
        one["number"] += 1
        one["net"] += net
        one["gross"] += gross
    return [found[place] for place in sorted(found, reverse=True)]


def _problems_of(outcome: Outcome) -> list[dict[str, Any]]:
    """What a preview leaves out, in the reader's language, with whom it concerns."""
    contracts = Contract.objects.select_related("customer").in_bulk(
        {p.contract for p in outcome.problems if p.contract}
    )
    customers = Customer.objects.in_bulk({p.customer for p in outcome.problems if p.customer})
    found = []
    for problem in outcome.problems:
        contract = contracts.get(problem.contract or 0)
        customer = contract.customer if contract else customers.get(problem.customer or 0)
        text = translate(problem.message, problem.values, show.language())
        found.append({"contract": contract, "customer": customer, "code": problem.code, "text": text})
    return found


@page("billing.run")
def start_billing(request: HttpRequest) -> HttpResponse:
    """Ask once more, then start the run in the background. The first one asks to confirm the numbers (R14.3)."""
    seller, on = seller_of(request), day_of(request)
    if any(not one.confirmed for one in numbers_of(seller, on).values()):
        return redirect(f"{reverse('first_numbers')}?on={on.isoformat()}")
    left_out = left_out_of(request, seller)
    before = _stopped(request, request.POST.get("after", request.GET.get("after", "")))
    if before is not None:
        left_out, on = before.parameters["exclude"], date.fromisoformat(before.parameters["on"])
    if request.method == "POST":
        try:
            work = start_run(actor_of(request), seller=seller, on=on, exclude=left_out)
        except Refused as refused:
            messages.error(request, show.refusal(refused))
            return redirect("billing")
        leave_out(request, seller, [])
        return redirect("work", work.pk)
    rows, warning = due_list(seller.pk, on), dated(on, today_of(request))
    blocked = Customer.objects.filter(seller=seller, complete=False, contracts__in=rows).distinct()
    return render(
        request,
        "billing/start.html",
        {
            "on": on,
            "number": rows.exclude(pk__in=left_out).count(),
            "left_out": len(left_out),
            "blocked": blocked.count(),
            "warning": translate(DATES[warning], {}, get_language() or "en") if warning else "",
            "after": before,
        },
    )


def _stopped(request: HttpRequest, pk: str) -> Work | None:
    """The run under way before, that is to go on."""
    if not pk.isdecimal():
        return None
    return get_object_or_404(Work, pk=int(pk), kind=RUN, subject=f"seller:{seller_of(request).pk}")


@page("billing.view")
def runs(request: HttpRequest) -> HttpResponseBase:
    """All runs, the newest first."""
    seller = seller_of(request)
    listing = Listing(
        slug="runs",
        title=_("Billing runs"),
        rows=BillingRun.objects.filter(seller=seller).annotate(left_out=Count("problems")),
        order="-started",
        columns=[
            Column(name="started", label=_("Started"), value=lambda r: show.moment(r.started_at, seller.time_zone),
                   raw=lambda r: r.started_at, sort="started_at"),
            Column(name="on", label=_("Due until"), value=lambda r: show.day(r.on), raw=lambda r: r.on, sort="on",
                   numeric=True),
            Column(name="state", label=_("State"), value=lambda r: state("run", run_state(r))),
            Column(name="contracts", label=_("Contracts"), value=lambda r: show.count(r.contracts),
                   raw=lambda r: r.contracts, numeric=True, sort="contracts", narrow=True),
            Column(name="documents", label=_("Documents"), value=lambda r: show.count(r.documents),
                   raw=lambda r: r.documents, numeric=True, sort="documents"),
            Column(name="left_out", label=_("Left out"), value=lambda r: show.count(r.left_out),
                   raw=lambda r: r.left_out, numeric=True, narrow=True),
            Column(name="actor", label=_("By"), value=lambda r: r.actor.removeprefix("user:"), narrow=True),
        ],
        filters=[
            Filter(name="from", label=_("From"), is_day=True, apply=lambda rows, day: rows.filter(on__gte=day)),
            Filter(name="until", label=_("Until"), is_day=True, apply=lambda rows, day: rows.filter(on__lte=day)),
        ],
        link=lambda r: reverse("billing_run", args=[r.pk]),
        empty_title=_("No run yet"),
        empty_text=_("The first one is started from the page “Billing”."),
    )  # fmt: skip
    return list_page(request, listing)


def run_state(run: BillingRun) -> str:
    """How a run ended; one without an end is under way, or was broken off."""
    return "open" if run.finished_at is None else "done"


@page("billing.view")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How a run ended: what it issued, what it left out and what to do about that."""
    seller = seller_of(request)
    found = get_object_or_404(BillingRun, pk=pk, seller=seller)
    documents = documents_of(found)
    sums = documents.values("kind", "currency").annotate(number=Count("pk"), net=Sum("net"), gross=Sum("gross"))
    problems = list(found.problems.select_related("contract__customer", "customer").order_by("pk")[:PROBLEMS_SHOWN])
    work = recent_work(f"seller:{seller.pk}", RUN).filter(result__run=found.pk).first()
    return render(
        request,
        "billing/run.html",
        {
            "run": found,
            "state": run_state(found),
            "work": work,
            "stopped": work is not None and work.done < work.total,
            "sums": list(sums.order_by("-kind", "currency")),
            "problems": [_told(problem) for problem in problems],
            "more_problems": found.problems.count() - len(problems),
            "may_run": user_of(request).may("billing.run"),
        },
    )


def documents_of(run: BillingRun) -> Any:
    """What a run issued: its documents have its instant."""
    return DocumentState.objects.filter(seller=run.seller_id, issued_on=run.on, issued_at=run.started_at)


def _told(problem: RunProblem) -> dict[str, Any]:
    text = translate(problem.message, problem.values, show.language()) if problem.message else problem.text
    customer = problem.contract.customer if problem.contract else problem.customer
    return {"contract": problem.contract, "customer": customer, "code": problem.code, "text": text}


@page("documents.view")
def run_documents(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The documents of a run as a list, where they can be sent or downloaded, many at once."""
    seller = seller_of(request)
    found = get_object_or_404(BillingRun, pk=pk, seller=seller)
    issued = rows_of(seller).filter(issued_on=found.on, issued_at=found.started_at)
    title = _("Documents of the run of %(day)s") % {"day": show.day(found.on)}
    listing = document_listing(seller, today_of(request), rows=issued, title=title)
    return list_page(request, listing)
