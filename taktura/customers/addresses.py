"""E-mail and electronic addresses as people write them."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from taktura.core.errors import Refused
from taktura.einvoice import is_address


def check_email(email: str) -> None:
    """Refuse (`invalid`) what is no e-mail address, and name the field; nothing at all is none to be refused."""
    if not email:
        return
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=email, field="email") from error


def check_electronic_address(text: str) -> None:
    """Refuse (`invalid`) what is no electronic address; nothing at all is none to be refused."""
    if text and not is_address(text):
        raise Refused(
            "invalid", "“%(value)s” is no electronic address: write the scheme of the EAS list, a colon and the"
            " identifier, as in 0204:991-12345-67 (Leitweg-ID), 9930:DE123456789 or 0007:5560360793.",
            value=text[:110], field="electronic_address",
        )  # fmt: skip
