"""Starting, watching and stopping long work; trying failed jobs again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation

from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.exact import to_json
from taktura.kit.jobs.ending import Interrupted, ending
from taktura.kit.jobs.models import OPEN, Work, WorkFile


@transaction.atomic
def start(
    actor: Actor,
    *,
    kind: str,
    subject: str,
    parameters: dict[str, Any],
    task: Any,
    file: tuple[str, bytes] | None = None,
) -> Work:
    """Start long work: `task` gets its id as `work`, after the transaction. `file`: name and content that it reads.

    Raises `Refused` (`conflict`) where work of this kind is open for the subject already.
    """
    work = Work(kind=kind, subject=subject, parameters=to_json(parameters), actor=actor.name, created_at=actor.now)
    _alone(work)
    if file is not None:
        WorkFile.objects.create(work=work, name=file[0][:300], content=file[1])
    work.job = task.defer(work=work.pk)
    work.save(update_fields=["job"])
    return work


def _alone(work: Work) -> None:
    """Write open work; the database sees to it that a subject has one of a kind, whoever comes at the same time."""
    try:
        with transaction.atomic():
            work.save()
    except IntegrityError as error:
        raise Refused("conflict", "This is being done already: wait for its end, or stop it.") from error


Tell = Callable[[int, int], bool]
_GIVE_UP = "UPDATE procrastinate_jobs SET status = 'aborted' WHERE id = %s AND status = 'failed'"


def carry_out(work_id: int, clock: Callable[[], datetime], do: Callable[[Work, Tell], Any]) -> None:
    """Do the work: `do` gets it and a function to tell (done, total), and gives the result.

    That function answers False when somebody asked for the work to be stopped: `do` ends at that border, and what is
    done stays. Work that has ended is left alone; work whose worker died is done again, which `do` must bear. A refusal
    or a fault is kept with the work; a fault is also raised, so that it shows among the jobs.

    Where the worker was told to end, or the database is away, the work waits for another try, which the job's
    `retry=AGAIN` brings; what says so is raised.
    """
    work = Work.objects.get(pk=work_id)
    if not work.is_open:
        return
    Work.objects.filter(pk=work_id).update(state="running", started_at=clock(), error="")
    stopped, interrupted = work.stop_requested, False

    def tell(done: int, total: int) -> bool:
        nonlocal stopped, interrupted
        Work.objects.filter(pk=work_id).update(done=done, total=total)
        stopped = done < total and Work.objects.filter(pk=work_id, stop_requested=True).exists()
        interrupted = done < total and ending.is_set()
        return not (stopped or interrupted)

    try:
        result = {} if stopped else do(work, tell)
        if interrupted and not stopped:
            Work.objects.filter(pk=work_id).update(state="waiting")
            raise Interrupted
    except Interrupted:
        raise
    except Refused as refused:
        _end(work_id, clock, **as_failed(refused))
    except (OperationalError, InterfaceError) as error:
        text = f"{type(error).__name__}: {error}"
        Work.objects.filter(pk=work_id).update(state="waiting", error=text)
        raise
    except Exception as error:
        _end(work_id, clock, state="failed", error=f"{type(error).__name__}: {error}")
        raise
    else:
        _end(work_id, clock, state="stopped" if stopped else "done", result=to_json(result))


def file_of(work: Work) -> tuple[str, bytes]:
    """Name and content of the file that came with work. Raises `Refused` (`not_found`) when it is forgotten."""
    found = WorkFile.objects.filter(work=work).first()
    if found is None:
        raise Refused("not_found", "The file is not kept any more: load it again.")
    return found.name, bytes(found.content)


def as_failed(refused: Refused) -> dict[str, Any]:
    """How work that was refused is kept: `error` in English, `result.refused` to be read in any language."""
    kept = {"code": refused.code, "text": refused.text, "values": to_json(refused.values)}
    return {"state": "failed", "error": str(refused), "result": {"refused": kept}}


def stop(*, work: Work) -> None:
    """Ask for work to be stopped at its next border; work that has not begun ends when its turn comes."""
    Work.objects.filter(pk=work.pk).update(stop_requested=True)


@transaction.atomic
def retry_job(job_id: int) -> None:
    """Try a failed job again, now; long work that failed with it is open again.

    Raises `Refused`: `not_found`, `invalid` (it did not fail), `conflict` (the same is waiting or being done).
    """
    job = _job(job_id)
    if job.status != "failed":
        raise Refused("invalid", "Only a job that failed is tried again.")
    work = Work.objects.select_for_update().filter(job=job_id).first()
    if work is not None and work.state == "failed":
        work.state, work.error, work.result, work.finished_at = "waiting", "", {}, None
        _alone(work)
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job_id, retry_at=utc_now())
    except UniqueViolation as error:
        raise Refused("conflict", "The same job is waiting already.") from error


@transaction.atomic
def cancel_job(job_id: int) -> None:
    """Take back a job that has not begun; its long work ends as stopped. Raises `Refused`: `not_found`, `invalid`."""
    _job(job_id)
    if not app.job_manager.cancel_job_by_id(job_id):
        raise Refused("invalid", "Only a job that has not begun can be cancelled.")
    Work.objects.filter(job=job_id, state__in=OPEN).update(state="stopped", finished_at=utc_now())


def give_up_job(job_id: int) -> None:
    """Let a failed job rest: nobody needs to look at it any more. Raises `Refused`: `not_found`, `invalid`."""
    _job(job_id)
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_UP, [job_id])
        if not cursor.rowcount:
            raise Refused("invalid", "Only a job that failed is given up.")


def _job(job_id: int) -> ProcrastinateJob:
    found: ProcrastinateJob | None = ProcrastinateJob.objects.filter(pk=job_id).first()
    if found is None:
        raise Refused("not_found", "There is no job with this number.")
    return found


def _end(work_id: int, clock: Callable[[], datetime], **fields: Any) -> None:
    Work.objects.filter(pk=work_id).update(finished_at=clock(), **fields)
