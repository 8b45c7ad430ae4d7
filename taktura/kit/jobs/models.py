"""Long work that somebody started from a page and finds again: what it is, how far it is, how it ended."""

from typing import Any

from django.db import models
from django.db.models import Q

STATES = ("waiting", "running", "done", "failed", "stopped")
OPEN = ("waiting", "running")


class Work(models.Model):
    """A piece of long work, done by a job. `kind` names it ("billing_run"), `subject` whose it is ("seller:1").

    `done` of `total` steps are through. `stop_requested`: it ends at the next border, and what is through stays. `job`:
    the job that does it. A subject has one open work of a kind.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=60, blank=True)
    parameters: Any = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="waiting")
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    result: Any = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    stop_requested = models.BooleanField(default=False)
    actor = models.CharField(max_length=200)
    job = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="work_state"),
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(state__in=OPEN), name="work_alone"),
        ]
        indexes = [
            models.Index(fields=["subject", "kind", "-id"], name="work_subject"),
            models.Index(fields=["state"], name="work_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["job"], name="work_job"),
        ]

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN


class WorkFile(models.Model):
    """A file that long work reads; forgotten some time after the work has ended."""

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="file")
    name = models.CharField(max_length=300)
    content = models.BinaryField()


class JobFailure(models.Model):
    """Why a job failed the last time that it was tried: the kind of the fault, and the first line of what it says."""

    job = models.BigIntegerField(unique=True)
    error = models.TextField()
    at = models.DateTimeField()
