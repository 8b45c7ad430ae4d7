"""What is forgotten of sessions and invitations. The log has kept who was invited, and when."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from taktura.accounts.models import Invitation, PortalLink, PortalSession

INVITATIONS_KEPT = timedelta(days=90)


def forget_sessions(now: datetime) -> int:
    """Forget sessions that are over, and what was noted of sessions that are gone; gives how many."""
    over, _ = Session.objects.filter(expire_date__lt=now).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    noted, _ = UserSession.objects.exclude(Exists(alive)).delete()
    return int(over) + int(noted)


def forget_invitations(now: datetime) -> int:
    """Forget invitations, accepted or not, that could be used until 90 days ago; gives how many."""
    count, _ = Invitation.objects.filter(expires_at__lt=now - INVITATIONS_KEPT).delete()
    return count


def forget_portal_visits(now: datetime) -> int:
    """Forget sessions of the portal that are over, and links that can be used no more; gives how many."""
    sessions, _ = PortalSession.objects.filter(expires_at__lt=now).delete()
    links, _ = PortalLink.objects.filter(expires_at__lt=now).delete()
    return sessions + links
