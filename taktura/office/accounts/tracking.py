"""When a session was seen last: written every few minutes, not with every page."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

from taktura.accounts.models import User
from taktura.kit.clock import utc_now
from taktura.office.middleware import PORTAL, PUBLIC

SEEN = "seen"  # in the session: the minute, counted from the epoch
MINUTES = 5


class SessionsMiddleware:
    """Keeps the list of a user's sessions up to date; see `UserSession` of allauth."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and note the session when that was not done lately."""
        response = self.get_response(request)
        if not request.path.startswith((PUBLIC, PORTAL)) and isinstance(request.user, User):
            minute = int(utc_now().timestamp() // 60)
            if minute - request.session.get(SEEN, 0) >= MINUTES:
                request.session[SEEN] = minute
                if request.session.session_key:
                    UserSession.objects.create_from_request(request)
        return response
