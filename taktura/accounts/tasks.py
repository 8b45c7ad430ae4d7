"""Jobs of accounts: what need not be kept of those who came in."""

from procrastinate.contrib.django import app

from taktura.accounts.keeping import forget_invitations, forget_portal_visits, forget_sessions
from taktura.kit.clock import utc_now


@app.periodic(cron="27 3 * * *")
@app.task(name="forget_visits", queue="housekeeping", queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> int:
    """Every night: sessions that are over, and invitations that ended long ago, are forgotten. Gives how many."""
    now = utc_now()
    return forget_sessions(now) + forget_portal_visits(now) + forget_invitations(now)
