"""All addresses: the office at the root, the API below `/api/`, sign-in below `/account/`, the customers' portal below
`/portal/`, the order page below `/order/`; and what machines ask."""

from django.urls import URLPattern, URLResolver, include, path

from taktura.api.health import live, ready
from taktura.api.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("taktura.office.accounts.urls")),
    path("api/", include("taktura.api.urls")),
    path("health/live", live, name="health_live"),
    path("health/ready", ready, name="health_ready"),
    path("metrics", metrics, name="metrics"),
    path("order/", include("taktura.portal.ordering.urls")),
    path("portal/", include("taktura.portal.urls")),
    path("", include("taktura.office.urls")),
]
handler400 = "taktura.office.errors.bad_request"
handler403 = "taktura.office.errors.forbidden"
handler404 = "taktura.office.errors.not_found"
handler429 = "taktura.office.errors.too_many"  # asked for by allauth
handler500 = "taktura.office.errors.failed"
