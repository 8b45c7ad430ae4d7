"""Django's settings; the only place that reads the environment. Each variable is explained in docs/settings.md."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from taktura.config import environment
from taktura.core.errors import Refused
from taktura.kit.logs import FORMATS, LEVELS, configuration

ROOT = Path(__file__).resolve().parents[2]

TAKTURA_DATA = environment.folder("TAKTURA_DATA", ROOT / "var")
DATABASE_URL = environment.database_address("DATABASE_URL")
DATABASE_OWNER_URL = environment.database_address("DATABASE_OWNER_URL")
if DATABASE_OWNER_URL and not DATABASE_URL:
    raise Refused("invalid", "DATABASE_OWNER_URL is set, but DATABASE_URL is not: set both, or none.")
# Where people reach the office: links in mails and the hosts that are answered follow from it.
PUBLIC_URL = environment.public_address("TAKTURA_PUBLIC_URL")
# The page of an alert, for mails; empty where nobody has said how the office is reached.
ALERT_PAGE = f"{PUBLIC_URL}/control/%s/" if PUBLIC_URL else ""
# json: one object a line, for a collector of logs; text: for a person.
LOG_FORMAT = environment.choice("TAKTURA_LOG_FORMAT", FORMATS, "text")
LOG_LEVEL = environment.choice("TAKTURA_LOG_LEVEL", LEVELS, "INFO")
# Webhooks may go to private addresses (of one's own network) only when this is 1.
WEBHOOKS_TO_PRIVATE_ADDRESSES = environment.yes("TAKTURA_PRIVATE_WEBHOOKS")
# The metrics page answers only to this token, when one is set; without one only to this machine.
METRICS_TOKEN = environment.secret("TAKTURA_METRICS_TOKEN", environment.TOKEN_CHARACTERS)
# Where the server's processes put what they measure, so that one of them can tell it of all; `serve` sets it.
METRICS_FOLDER = environment.text("PROMETHEUS_MULTIPROC_DIR")
# How many proxies stand before the server, each adding the address it was asked from (X-Forwarded-For).
ALLAUTH_TRUSTED_PROXY_COUNT = environment.whole("TAKTURA_PROXIES", 0, 0, 9)
# How many requests a second a key may make of the API in the long run, and how many at once; in each process.
API_RATE = environment.whole("TAKTURA_API_RATE", 50, 1, 100_000)
API_BURST = API_RATE * 10
# Sites that may show price lists in a frame; and how many pages of them an address may ask for: so many a second in
# the long run, and so many at once.
PRICE_LIST_SITES = environment.sites("TAKTURA_PRICE_LIST_SITES")
PUBLIC_RATE, PUBLIC_BURST = 2, 60
# Below it lie the folders that are watched for suppliers' files.
USAGE_FOLDER = environment.folder("TAKTURA_USAGE_FOLDER", None)


SECRET_KEY_FILE = TAKTURA_DATA / "secret-key"
_given = environment.secret("TAKTURA_SECRET_KEY", environment.SECRET_CHARACTERS)
SECRET_KEY_GIVEN = bool(_given)


def secret_key() -> str:
    """The key that seals and signs: TAKTURA_SECRET_KEY, else one drawn at the first start and kept with the data.

    Empty where the folder cannot be written; Django then says so to whoever needs it.
    """
    path = SECRET_KEY_FILE
    try:
        if not _given and not path.exists():
            TAKTURA_DATA.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}")
            part.touch(mode=0o600)
            part.write_text(secrets.token_urlsafe(50), "utf-8")
            try:
                os.link(part, path)  # whoever is first: all processes have the same key
            except FileExistsError:
                pass
            finally:
                part.unlink()
        return _given or path.read_text("utf-8")
    except OSError:
        return ""


SECRET_KEY = secret_key()
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("sv", "Svenska")]
LOCALE_PATHS = [ROOT / "taktura" / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "taktura.config.urls"
WSGI_APPLICATION = "taktura.config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "taktura.kit.jobs",
    "taktura.kit.mail",
    "taktura.kit.mailbox",
    "taktura.audit",
    "taktura.accounts",
    "taktura.customers",
    "taktura.catalog",
    "taktura.contracts",
    "taktura.usage",
    "taktura.desk",
    "taktura.invoices",
    "taktura.billing",
    "taktura.control",
    "taktura.webhooks",
    "taktura.api",
    "taktura.office",
    "taktura.portal",
]
LOGGING = configuration(LOG_FORMAT)
MIDDLEWARE = [
    "taktura.kit.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "taktura.office.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "taktura.office.accounts.tracking.SessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "taktura.office.middleware.OfficeMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "taktura" / "office" / "templates"],  # before allauth's own
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "taktura.office.context.office",
            ]
        },
    }
]
FORM_RENDERER = "taktura.office.widgets.OfficeRenderer"


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
        "CONN_HEALTH_CHECKS": True,
    }


# `default` is the application's login, `owner` the owner of the tables, who migrates. Without DATABASE_URL both are
# set to the embedded server by `taktura.kit.database`.
DATABASES = {
    "default": database(DATABASE_URL or "postgresql:///taktura"),
    "owner": database(DATABASE_OWNER_URL or DATABASE_URL or "postgresql:///taktura"),
}
# Guesses at passwords are counted here, by all processes together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "kit_cache",
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},  # beyond it counters would be thrown away; they expire by themselves
    }
}

# --- mail ----------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "taktura.kit.mail.backend.OutboxBackend"

# --- the web -------------------------------------------------------------------------------------------------------
_public = urlsplit(PUBLIC_URL)
_secure = _public.scheme == "https"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"] + ([_public.hostname] if _public.hostname else [])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _secure else None
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _secure
SESSION_COOKIE_NAME = "taktura_session"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_NAME = "taktura_csrf"
CSRF_FAILURE_VIEW = "taktura.office.errors.csrf_failure"
LANGUAGE_COOKIE_NAME = "taktura_language"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "taktura.office.static.StampedStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 60 * 60 * 24 * 30  # an address changes with its file

# --- sign-in -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "taktura.office.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation has proven the address
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody makes us write to addresses that we do not know
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * 15
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/5m/key",
    "order": "20/h/ip,5/h/key",
    "ticket": "30/h/key",
    "invite": "20/h/key",
}
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "taktura.office.accounts.adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Taktura"
MFA_TOTP_TOLERANCE = 1  # the code before and after counts too: clocks differ
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _secure
USERSESSIONS_TRACK_ACTIVITY = True  # by our middleware, every few minutes
