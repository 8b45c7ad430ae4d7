"""What allauth asks of the office: nobody signs up by oneself, and mails go through the outbox."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from taktura.kit.secret import seal, unseal

# Sentences of allauth that our own catalogs say otherwise: its German is on first-name terms. `tools.messages` collects
# them.
IN_OUR_WORDS = (
    "Please type your current password.",
    "Be patient, you are sending too many requests.",
    "You must type the same password each time.",
    "Are you sure you want to sign out?",
    "You have signed out.",
    "Your password has been changed.",
    "Your password is now changed.",
    "Forgotten your password? Enter your email address below, and we'll send you an email allowing you to reset it.",
    "Please contact us if you have any trouble resetting your password.",
    "You are about to generate a new set of recovery codes for your account.",
    "You are about to deactivate authenticator app based authentication. Are you sure?",
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by invitation alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Where a user lands who signs out."""
        return reverse("account_login")

    def is_safe_url(self, url: str) -> bool:
        """Whether somebody may be sent on to an address: to one of this office, reached as it is reached now."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Guesses are counted for the address typed alone. allauth counts them for the host asked as well; but who
        guesses chooses the port that is named there, and would begin anew with each."""
        return str(credentials.get("email", "")).casefold()


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed in the database."""

    def encrypt(self, text: str) -> str:
        """Seal."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Unseal."""
        return unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, Any]:
        """The name that a browser shows with a passkey."""
        entity: dict[str, Any] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "Taktura"}
