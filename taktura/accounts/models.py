"""Staff: users with one role each, invitations, and the keys of other systems. And customers' people, who use the
portal: they are no users of the office, and have sessions of their own."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from taktura.accounts.permissions import PERMISSIONS, ROLES


class UserManager(BaseUserManager["User"]):
    """Finds users by e-mail, without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of an e-mail address."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Someone of the seller's staff. Who leaves is made inactive, never deleted: the log names people."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20)
    language = models.CharField(max_length=2, default="en")
    theme = models.CharField(max_length=5, default="auto")
    preferences: Any = models.JSONField(default=dict, help_text="what was chosen on list pages")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email"),
            models.CheckConstraint(condition=Q(role__in=list(ROLES)), name="user_role"),
            models.CheckConstraint(condition=Q(theme__in=["auto", "light", "dark"]), name="user_theme"),
            models.CheckConstraint(condition=Q(language__in=["en", "de", "sv"]), name="user_language"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def may(self, permission: str) -> bool:
        """Whether the user's role has a permission. `KeyError`-free, but an unknown permission is a slip: refused."""
        assert permission in PERMISSIONS, permission
        return self.is_active and permission in ROLES[self.role]


class Invitation(models.Model):
    """An address that may make itself a user. Only the hash of the link's secret is kept."""

    email = models.EmailField()
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20)
    language = models.CharField(max_length=2, default="en")
    hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="invitations")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(role__in=list(ROLES)), name="invitation_role")]


class ApiKey(models.Model):
    """A key of another system: what it may (`scopes` are permissions), until when, and when it was last used.

    Only the SHA-256 of the secret is kept; `prefix` is its beginning, to tell keys apart.
    """

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20)
    hash = models.CharField(max_length=64, unique=True)
    scopes: Any = models.JSONField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="keys")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def may(self, permission: str) -> bool:
        """Whether the key has a permission."""
        assert permission in PERMISSIONS, permission
        return permission in self.scopes


class PortalUser(models.Model):
    """Somebody who signs in to the customers' portal. For which customers says `customers.PortalAccess`.

    `is_active`: has the access of at least one customer. `password` is Django's hash; empty: sign-in by mailed link
    alone.
    """

    email = models.EmailField()
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=2, default="en")
    password = models.CharField(max_length=128, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="portal_user_email"),
            models.CheckConstraint(condition=Q(language__in=["en", "de", "sv"]), name="portal_user_language"),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class PortalLink(models.Model):
    """A mailed link of the portal: it works once. Only the hash of its secret is kept."""

    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=10)
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=["sign_in", "password"]), name="portal_link_purpose")
        ]


class PortalSession(models.Model):
    """A browser that is signed in to the portal. Only the hash of what its cookie holds is kept."""

    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="sessions")
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
