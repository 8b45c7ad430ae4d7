"""Which faults of a job are worth another try, and when."""

from datetime import timedelta

from django.db import InterfaceError, OperationalError
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from taktura.kit.jobs.ending import Interrupted

DELAYS = tuple(timedelta(seconds=s) for s in (4, 15, 60, 240, 900))


class Again(BaseRetryStrategy):
    """A database that was away, or facts that were locked, are tried again later and later, some 20 minutes in all.

    Work that its ending worker broke off is done by the next one, at once. Other faults fail: they would come again.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again; None: not at all."""
        if isinstance(exception, Interrupted):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, OperationalError | InterfaceError) and job.attempts < len(DELAYS):
            return RetryDecision(retry_in={"seconds": DELAYS[job.attempts].seconds})
        return None


AGAIN = Again()
