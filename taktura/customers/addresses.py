"""E-mail addresses as people write them."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from taktura.core.errors import Refused


def check_email(email: str) -> None:
    """Refuse (`invalid`) what is no e-mail address, and name the field; nothing at all is none to be refused."""
    if not email:
        return
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=email, field="email") from error
