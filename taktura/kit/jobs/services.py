"""Starting, watching and stopping long work; trying failed jobs again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.exact import to_json
from taktura.kit.jobs.models import Work


@transaction.atomic
def start(actor: Actor, *, kind: str, subject: str, parameters: dict[str, Any], task: Any) -> Work:
    """Start long work: `task` gets its id as `work`, after the transaction.

    Raises `Refused` (`conflict`) where work of this kind is open for the subject already.
    """
    open_work = Work.objects.select_for_update().filter(kind=kind, subject=subject, state__in=["waiting", "running"])
    if open_work.exists():
        raise Refused("conflict", "This is being done already: wait for its end, or stop it.")
    work = Work.objects.create(
        kind=kind, subject=subject, parameters=to_json(parameters), actor=actor.name, created_at=actor.now
    )
    task.defer(work=work.pk)
    return work


Tell = Callable[[int, int], bool]


def carry_out(work_id: int, clock: Callable[[], datetime], do: Callable[[Work, Tell], Any]) -> None:
    """Do the work: `do` gets it and a function to tell (done, total), and gives the result.

    That function answers False when somebody asked for the work to be stopped: `do` ends at that border, and what is
    done stays. Work that has ended is left alone; work whose worker died is done again, which `do` must bear. A refusal
    or a fault is kept with the work; a fault is also raised, so that it shows among the jobs.
    """
    work = Work.objects.get(pk=work_id)
    if not work.is_open:
        return
    Work.objects.filter(pk=work_id).update(state="running", started_at=clock(), error="")
    stopped = work.stop_requested

    def tell(done: int, total: int) -> bool:
        nonlocal stopped
        Work.objects.filter(pk=work_id).update(done=done, total=total)
        stopped = done < total and Work.objects.filter(pk=work_id, stop_requested=True).exists()
        return not stopped

    try:
        result = {} if stopped else do(work, tell)
    except Refused as refused:
        error = {"code": refused.code, "text": refused.text, "values": to_json(refused.values)}
        _end(work_id, clock, state="failed", error=str(refused), result={"refused": error})
    except Exception as error:
        _end(work_id, clock, state="failed", error=f"{type(error).__name__}: {error}")
        raise
    else:
        _end(work_id, clock, state="stopped" if stopped else "done", result=to_json(result))


def stop(*, work: Work) -> None:
    """Ask for work to be stopped at its next border; work that has not begun ends at once."""
    Work.objects.filter(pk=work.pk).update(stop_requested=True)


def retry_job(job_id: int) -> None:
    """Try a failed job again, now. Raises `Refused`: `not_found`, `invalid` (it did not fail)."""
    job = _job(job_id)
    if job.status != "failed":
        raise Refused("invalid", "Only a job that failed is tried again.")
    app.job_manager.retry_job_by_id(job_id, retry_at=utc_now())


def cancel_job(job_id: int) -> None:
    """Take back a job that has not begun. Raises `Refused`: `not_found`, `invalid`."""
    _job(job_id)
    if not app.job_manager.cancel_job_by_id(job_id):
        raise Refused("invalid", "Only a job that has not begun can be cancelled.")


def _job(job_id: int) -> ProcrastinateJob:
    found: ProcrastinateJob | None = ProcrastinateJob.objects.filter(pk=job_id).first()
    if found is None:
        raise Refused("not_found", "There is no job with this number.")
    return found


def _end(work_id: int, clock: Callable[[], datetime], **fields: Any) -> None:
    Work.objects.filter(pk=work_id).update(finished_at=clock(), **fields)
