"""Background work: what runs, what waits, what failed and why."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.billing.unattended import again_at, tries
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.jobs import queries
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.services import cancel_job, give_up_job, retry_job, stop
from taktura.kit.language import translate
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.templatetags.office import state
from taktura.office.words import WORDS

STATUSES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")
# What comes again every minute or night: of no interest while it goes well.
ROUTINE = (
    "take_up_stalled", "send_mails", "forget_old_jobs", "forget_old_mails", "forget_visits", "forget_orders",
    "forget_answers", "forget_webhooks", "forget_webhook_jobs", "forget_watch_jobs", "bill_unattended",
    "check_thresholds", "watch_usage", "keep_flat_prices", "look_into_mailboxes", "mask_numbers",
    "look_into_folders", "sell_used_services",
)  # fmt: skip
MOST_AT_ONCE = 200
RECENT = 10


@page("jobs.view")
def jobs(request: HttpRequest) -> HttpResponseBase:
    """All jobs, long work, and whether a worker is there."""
    seller, now = seller_of(request), actor_of(request).now
    rows = queries.jobs()
    if request.GET.get("routine") != "1":
        rows = rows.exclude(Q(task_name__in=ROUTINE), status__in=["succeeded", "todo", "doing"])

    def prepare(rows: list[Any]) -> None:
        ids = [row.pk for row in rows]
        why, events = queries.failures_of(ids), queries.events_of(ids)
        times: dict[int, list[Any]] = {}
        for event in events:
            times.setdefault(event.job_id, []).append(event)
        for row in rows:
            row.why = why.get(row.pk)
            row.written = times[row.pk][0].at if row.pk in times else None
            row.last = times[row.pk][-1].at if row.pk in times else None

    again = _again(seller, now)
    return list_page(
        request,
        Listing(
            slug="jobs",
            title=_("Jobs"),
            rows=rows,
            columns=list(_columns(seller.time_zone)),
            order="-number",
            filters=_filters(),
            prepare=prepare,
            link=lambda j: reverse("job", args=[j.pk]),
            actions=[
                Action(name="retry", label=_("Try again"), permission="jobs.retry", run=_retry, icon="refresh"),
                Action(
                    name="give_up",
                    label=_("Give up"),
                    permission="jobs.retry",
                    run=_give_up,
                    icon="x",
                    confirm=_("The jobs that failed are not tried again, and nobody is told of them."),
                ),
            ],
            empty_title=_("No jobs"),
            empty_text=_("Mails, billing runs that were started from a page and files that are read stand here."),
            template="settings/jobs.html",
            more={
                "worker": queries.worker_seen(now),
                "counts": _counts(),
                "works": [_shown(w, again) for w in queries.recent_work(f"seller:{seller.pk}")[:RECENT]],
            },
        ),
    )


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="number", label=_("Number"), value=lambda j: show.count(j.pk), raw=lambda j: j.pk, sort="id",
                 numeric=True)  # fmt: skip
    yield Column(name="task", label=_("Job"), value=lambda j: show.word("task", j.task_name), sort="task_name")
    yield Column(
        name="state", label=_("State"), value=lambda j: state("job", j.status), raw=lambda j: show.word("job", j.status)
    )
    yield Column(name="attempts", label=_("Attempts"), value=lambda j: show.count(j.attempts), numeric=True,
                 narrow=True)  # fmt: skip
    yield Column(
        name="written", label=_("Written"), value=lambda j: show.moment(j.written, zone), raw=lambda j: j.written,
        narrow=True,
    )  # fmt: skip
    yield Column(
        name="last",
        label=_("Last change"),
        value=lambda j: show.moment(j.last, zone),
        raw=lambda j: j.last,
        narrow=True,
    )
    yield Column(name="why", label=_("Why it failed"), value=lambda j: j.why.error if j.why else "")


def _filters() -> list[Filter]:
    tasks = sorted((show.word("task", name), name) for name in WORDS["task"])
    return [
        Filter(
            name="state", label=_("State"), choices=[(s, show.word("job", s)) for s in STATUSES],
            apply=lambda rows, value: rows.filter(status=value),
        ),
        Filter(
            name="task", label=_("Job"), choices=[(name, word) for word, name in tasks],
            apply=lambda rows, value: rows.filter(task_name=value),
        ),
        Filter(
            name="routine", label=_("Housekeeping"), choices=[("1", _("Shown too"))], apply=lambda rows, value: rows
        ),
    ]  # fmt: skip


def _counts() -> list[tuple[str, int]]:
    found = queries.jobs_by_status()
    return [(status, found.get(status, 0)) for status in ("todo", "doing", "failed")]


def _again(seller: Seller, now: datetime) -> dict[int, datetime]:
    """The unattended run that failed and is tried again by itself, by the id of its work; and when that is."""
    tried = tries(seller, now) if seller.unattended_runs else []
    again = again_at(tried)
    return {tried[0].pk: again} if again is not None else {}


def _shown(work: Work, again: Mapping[int, datetime]) -> dict[str, Any]:
    """Long work as it is shown: its share done; why it failed, in the reader's language; when it is tried again."""
    refused = work.result.get("refused") if isinstance(work.result, dict) else None
    why = translate(refused["text"], refused["values"], show.language()) if refused else work.error
    share = f"{work.done / work.total:.4f}" if work.total else ""
    return {"work": work, "why": why, "share": share, "again": again.get(work.pk)}


def _retry(request: HttpRequest, rows: Rows) -> HttpResponse:
    number = 0
    for job in rows.filter(status="failed")[:MOST_AT_ONCE]:
        try:
            retry_job(job.pk)
        except Refused as refused:
            messages.error(request, f"{job.pk}: {show.refusal(refused)}")
        else:
            number += 1
    messages.success(request, ngettext("%(count)s job is tried again.", "%(count)s jobs are tried again.", number)
                     % {"count": number})  # fmt: skip
    return redirect("jobs")


def _give_up(request: HttpRequest, rows: Rows) -> HttpResponse:
    ids = list(rows.filter(status="failed").values_list("pk", flat=True)[:MOST_AT_ONCE])
    for pk in ids:
        give_up_job(pk)
    messages.success(request, ngettext("%(count)s job is given up.", "%(count)s jobs are given up.", len(ids))
                     % {"count": len(ids)})  # fmt: skip
    return redirect("jobs")


@page("jobs.view")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """A job: what it does, what happened to it, why it failed."""
    one = get_object_or_404(ProcrastinateJob, pk=pk)
    work = queries.work_of([pk]).get(pk)
    again = _again(seller_of(request), actor_of(request).now) if work else {}
    context = {
        "job": one, "events": queries.events_of([pk]), "why": queries.failures_of([pk]).get(pk),
        "arguments": json.dumps(one.args, ensure_ascii=False, indent=1), "work": _shown(work, again) if work else None,
    }  # fmt: skip
    return render(request, "settings/job.html", context)


@page("jobs.retry")
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed job again."""
    return _done(request, pk, retry_job, _("The job is tried again."))


@page("jobs.retry")
@require_POST
def rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a failed job up."""
    return _done(request, pk, give_up_job, _("The job is given up."))


@page("jobs.retry")
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a job that has not begun."""
    return _done(request, pk, cancel_job, _("The job is cancelled."))


@page("jobs.retry")
@require_POST
def stop_work(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for long work of this company to be stopped at its next border."""
    work = get_object_or_404(Work, pk=pk, subject=f"seller:{seller_of(request).pk}")
    stop(work=work)
    messages.success(request, _("It stops at its next border. What is done stays."))
    return redirect("jobs")


def _done(request: HttpRequest, pk: int, act: Callable[[int], None], said: str) -> HttpResponse:
    """Do something with a job and say so, or why not; 404 where there is no such job."""
    try:
        act(pk)
    except Refused as refused:
        if refused.code == "not_found":
            raise Http404 from refused
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, said)
    return redirect("job", pk)
