"""Addresses of control."""

from django.urls import path

from taktura.office.control import acts, alerts, detail, profitability

urlpatterns = [
    path("", alerts.alerts, name="control"),
    path("ignore/", acts.ignore, name="ignore_alerts"),
    path("recipients/", acts.recipients, name="alert_recipients"),
    path("profitability/", profitability.profitability, name="profitability"),
    path("profitability/<int:pk>/", profitability.flat_price, name="flat_price"),
    path("<int:pk>/", detail.alert, name="alert"),
    path("<int:pk>/reopen/", acts.reopen, name="reopen_alert"),
    path("<int:pk>/course/", detail.picture, name="alert_course"),
    path("<int:pk>/offers/", detail.offers, name="alert_offers"),
]
