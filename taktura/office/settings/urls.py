"""Addresses of the settings."""

from django.urls import path

from taktura.office.settings import company, index, numbering

urlpatterns = [
    path("", index.settings_index, name="settings"),
    path("company/", company.company, name="company"),
    path("company/<slug:section>/", company.change, name="company_change"),
    path("company/<slug:section>/consequence/", company.consequence, name="company_consequence"),
    path("numbering/", numbering.numbering, name="numbering"),
    path("numbering/<slug:kind>/", numbering.confirm, name="numbering_confirm"),
    path("numbering/<slug:kind>/consequence/", numbering.consequence, name="numbering_consequence"),
]
