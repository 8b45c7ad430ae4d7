"""Reads of the outbox."""

from django.db.models import Count

from taktura.kit.mail.models import OutgoingMail


def mails_by_state() -> list[tuple[str, int]]:
    """How many mails there are of each state."""
    rows = OutgoingMail.objects.order_by().values_list("state").annotate(number=Count("pk"))
    return [(state, number) for state, number in rows]
