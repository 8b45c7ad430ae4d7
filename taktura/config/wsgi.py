"""The office and the API for a web server: `taktura.config.wsgi:application`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

from taktura.kit.database import setup  # noqa: E402

setup()
application = get_wsgi_application()
