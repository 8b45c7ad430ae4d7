"""Jobs of the outbox."""

from procrastinate.contrib.django import app

from taktura.kit.clock import utc_now

SWEPT = 500  # mails in one sweep


@app.task(name="send_mail", queue="mail")
def send_mail(mail: int) -> str:
    """Send one mail, just written."""
    from taktura.kit.mail.services import deliver

    return deliver(mail, utc_now())


@app.periodic(cron="* * * * *")
@app.task(name="send_mails", queue="mail", queueing_lock="send_mails")
def send_mails(timestamp: int) -> int:
    """Every minute: the mails that wait for another try, and those whose sender has died. Gives how many were tried."""
    from taktura.kit.mail.services import deliver, due, give_up_lost

    give_up_lost(utc_now())
    ids = list(due(utc_now()).values_list("pk", flat=True)[:SWEPT])
    for pk in ids:
        deliver(pk, utc_now())
    return len(ids)


@app.periodic(cron="47 3 * * *")
@app.task(name="forget_old_mails", queue="housekeeping", queueing_lock="forget_old_mails")
def forget_old_mails(timestamp: int) -> int:
    """Every night: attachments of mails that were sent long ago, and old mails of sign-in, are forgotten."""
    from taktura.kit.mail.services import forget_old

    return forget_old(utc_now())
