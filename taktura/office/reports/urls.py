"""Addresses of reports."""

from django.urls import path

from taktura.office.reports import levels, views

urlpatterns = [
    path("", views.hours, name="reports"),
    path("unapproved/", views.unapproved, name="report_unapproved"),
    path("waiting/", views.waiting, name="report_waiting"),
    path("levels/", levels.levels, name="report_levels"),
    path("customers/", views.results, name="report_customers"),
]
