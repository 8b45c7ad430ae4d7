"""The mail that invites somebody."""

from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from taktura.accounts.models import Invitation
from taktura.kit.actor import Actor
from taktura.kit.language import translate
from taktura.kit.mail.services import ACCOUNT, post, server_of

LETTER = (
    "Invitation to Taktura",
    "Good day,\n\n%(by)s invites you to work in Taktura for %(company)s. Choose a name and a password here:\n\n"
    "%(link)s\n\nThe link can be used once, until %(until)s.\n\nIf you do not expect this mail, ignore it.",
)


def mail_invitation(
    actor: Actor, *, invitation: Invitation, link: str, by: str, company: str, time_zone: str
) -> bool:  # fmt: skip
    """Put the mail with the link of an invitation into the outbox; gives whether there is a server that sends it."""
    language = invitation.language
    local = invitation.expires_at.astimezone(ZoneInfo(time_zone))
    until = format_datetime(local, "short", locale=language if language != "en" else "en_GB")
    subject, text = invitation_letter(language, by=by, company=company, link=link, until=until)
    post(
        actor.now, to=invitation.email, subject=subject, text=text, kind=ACCOUNT, language=language,
        about=f"invitation:{invitation.pk}",
    )  # fmt: skip
    return server_of("") is not None


def invitation_letter(language: str, *, by: str, company: str, link: str, until: str) -> tuple[str, str]:
    """Subject and text of an invitation."""
    subject, text = LETTER
    values = {"by": by, "company": company, "link": link, "until": until}
    return translate(subject, {}, language), translate(text, values, language)
