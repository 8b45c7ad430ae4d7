"""Addresses of the order page."""

from django.urls import path

from taktura.portal.ordering import views

urlpatterns = [
    path("confirm/<str:secret>/", views.confirm, name="order_confirm"),
    path("<int:seller>/offer/<str:number>/", views.offer, name="order_offer"),
    path("<int:seller>/<str:module>/", views.module, name="order_module"),
    path("<int:seller>/<str:module>/<str:tariff>/", views.tariff, name="order_tariff"),
]
