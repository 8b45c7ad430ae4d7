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
@app.task(name="send_mails", queue="mail", queueing_lock="send_mails", pass_context=False)
def send_mails(timestamp: int) -> int:
    """Every minute: the mails that wait for another try, and those whose sender has died. Gives how many were tried."""
    from taktura.kit.mail.services import deliver, due, give_up_lost

    give_up_lost(utc_now())
    ids = list(due(utc_now()).values_list("pk", flat=True)[:SWEPT])
    for pk in ids:
        deliver(pk, utc_now())
    return len(ids)
