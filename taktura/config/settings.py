"""Django's settings; the only place that reads the environment."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]

SECRET_KEY = os.environ.get("TAKTURA_SECRET_KEY", "unused: nothing is signed yet")
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("sv", "Svenska")]
LOCALE_PATHS = [ROOT / "taktura" / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "taktura.audit",
    "taktura.customers",
    "taktura.catalog",
    "taktura.contracts",
    "taktura.usage",
    "taktura.invoices",
    "taktura.billing",
]

TAKTURA_DATA = Path(os.environ.get("TAKTURA_DATA") or ROOT / "var")
DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL", "")


def database(url: str) -> dict[str, Any]:
    """Django's settings for a `postgresql://user:password@host:port/name?option=…` address."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
        "CONN_MAX_AGE": None,
    }


# `default` is the application's login, `owner` the owner of the tables, who migrates. Without DATABASE_URL both are
# set to the embedded server by `taktura.kit.database`.
DATABASES = {
    "default": database(DATABASE_URL or "postgresql:///taktura"),
    "owner": database(DATABASE_OWNER_URL or DATABASE_URL or "postgresql:///taktura"),
}
