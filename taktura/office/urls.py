"""Addresses of the office: each room's own are included here."""

from django.urls import URLPattern, URLResolver, include, path

from taktura.office import deadlines, home, saving, search
from taktura.office.contracts import orders
from taktura.office.tariffs import public

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("customers/", include("taktura.office.customers.urls")),
    path("sales/", include("taktura.office.sales.urls")),
    path("time/", include("taktura.office.time.urls")),
    path("contracts/", include("taktura.office.contracts.urls")),
    path("orders/", orders.order_list, name="orders"),
    path("orders/<int:order>/", orders.order, name="order"),
    path("orders/<int:order>/approve/", orders.approve, name="approve_order"),
    path("orders/<int:order>/refuse/", orders.refuse, name="refuse_order"),
    path("tariffs/", include("taktura.office.tariffs.urls")),
    path("usage/", include("taktura.office.usage.urls")),
    path("desk/", include("taktura.office.desk.urls")),
    path("control/", include("taktura.office.control.urls")),
    path("reports/", include("taktura.office.reports.urls")),
    path("settings/", include("taktura.office.settings.urls")),
    path("search/", search.search, name="search"),
    path("deadlines/", deadlines.deadline_list, name="deadlines"),
    path("billing/", include("taktura.office.billing.urls")),
    path("documents/", include("taktura.office.documents.urls")),
    path("price-list/<int:seller>/<str:module>/", public.price_list, name="public_price_list"),
    path("work/", include("taktura.office.work.urls")),
    path("filters/keep/", saving.keep_filter, name="save_filter"),
]
