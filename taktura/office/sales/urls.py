"""Addresses of sales items."""

from django.urls import path

from taktura.office.sales import choosing, used, views

urlpatterns = [
    path("", views.sales, name="sales"),
    path("new/", choosing.choose, name="sale_begin"),
    path("customers/", choosing.customers, name="sale_customers"),
    path("new/<int:customer>/", views.new, name="sale_new"),
    path("new/<int:customer>/consequence/", views.consequence, name="sale_consequence"),
    path("services/", used.used_services, name="used_services"),
    path("services/sell/", used.sell, name="sell_services"),
    path("services/prices/", used.pricing, name="service_pricing"),
    path("<int:pk>/", views.sale, name="sale"),
    path("<int:pk>/move/", views.move, name="sale_move"),
]
