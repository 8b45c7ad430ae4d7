"""All addresses: the office at the root, the API below `/api/`, sign-in below `/account/`."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("taktura.office.accounts.urls")),
    path("api/", include("taktura.api.urls")),
    path("", include("taktura.office.urls")),
]
handler400 = "taktura.office.errors.bad_request"
handler403 = "taktura.office.errors.forbidden"
handler404 = "taktura.office.errors.not_found"
handler500 = "taktura.office.errors.failed"
