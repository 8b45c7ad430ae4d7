"""What mails say, in three languages, with made-up values."""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from taktura.accounts.inviting import invitation_letter
from taktura.control.mailing import KIND as ALERT
from taktura.control.mailing import sample_letter as sample_alert
from taktura.invoices.services.mailing import TEXTS, sample_letter
from taktura.kit.language import LANGUAGES
from taktura.office import show
from taktura.office.page import actor_of, page, seller_of, today_of, user_of

SIGN_IN = {"login_code": "account/email/login_code", "password_reset_code": "account/email/password_reset_code"}
KINDS = (*TEXTS, ALERT, "invitation", *SIGN_IN)


@page("settings.view")
def texts(request: HttpRequest) -> HttpResponse:
    """One mail as it would be written."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else KINDS[0]
    language = request.GET.get("language", "")
    language = language if language in LANGUAGES else show.language()
    subject, text = _mail(request, kind, language)
    context = {
        "kinds": KINDS,
        "kind": kind,
        "language": language,
        "languages": LANGUAGES,
        "subject": subject,
        "text": text,
    }
    return render(request, "settings/texts.html", context)


def _mail(request: HttpRequest, kind: str, language: str) -> tuple[str, str]:
    seller = seller_of(request)
    if kind in TEXTS:
        letter = sample_letter(kind, language, seller=seller.name, currency=seller.currency, on=today_of(request))
        return letter.subject, letter.text
    if kind == ALERT:
        return sample_alert(language, seller=seller.name, currency=seller.currency, on=today_of(request))
    if kind == "invitation":
        until = show.moment(actor_of(request).now + timedelta(days=7), seller.time_zone)
        link = request.build_absolute_uri("/account/invitation/…/")
        return invitation_letter(language, by=user_of(request).name, company=seller.name, link=link, until=until)
    with translation.override(language):
        mail = get_adapter(request).render_mail(
            SIGN_IN[kind], user_of(request).email, {"code": "X4K-7QP", "request": request, "user": user_of(request)}
        )
        return str(mail.subject), str(mail.body)
