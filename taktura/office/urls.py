"""Addresses of the office: each room's own are included here."""

from django.urls import URLPattern, URLResolver, include, path

from taktura.office import deadlines, home, saving, search

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("customers/", include("taktura.office.customers.urls")),
    path("sales/", include("taktura.office.sales.urls")),
    path("contracts/", include("taktura.office.contracts.urls")),
    path("tariffs/", include("taktura.office.tariffs.urls")),
    path("usage/", include("taktura.office.usage.urls")),
    path("settings/", include("taktura.office.settings.urls")),
    path("search/", search.search, name="search"),
    path("deadlines/", deadlines.deadline_list, name="deadlines"),
    path("billing/", include("taktura.office.billing.urls")),
    path("documents/", include("taktura.office.documents.urls")),
    path("work/", include("taktura.office.work.urls")),
    path("filters/keep/", saving.keep_filter, name="save_filter"),
]
