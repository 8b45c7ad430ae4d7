"""Addresses of reports."""

from django.urls import path

from taktura.office.reports import views

urlpatterns = [
    path("", views.hours, name="reports"),
    path("unapproved/", views.unapproved, name="report_unapproved"),
    path("waiting/", views.waiting, name="report_waiting"),
    path("customers/", views.results, name="report_customers"),
]
