"""Addresses of billing."""

from django.urls import path

from taktura.office.billing import due, forecast, numbering, runs

urlpatterns = [
    path("", due.billing_page, name="billing"),
    path("preview/", runs.preview_run, name="preview_run"),
    path("start/", runs.start_billing, name="start_run"),
    path("numbering/", numbering.confirm, name="first_numbers"),
    path("numbering/preview/", numbering.preview, name="preview_first_numbers"),
    path("forecast/", forecast.forecast, name="forecast"),
    path("forecast/<int:forecast>/", forecast.result, name="forecast_result"),
    path("runs/", runs.runs, name="billing_runs"),
    path("runs/<int:pk>/", runs.run, name="billing_run"),
    path("runs/<int:pk>/documents/", runs.run_documents, name="run_documents"),
]
