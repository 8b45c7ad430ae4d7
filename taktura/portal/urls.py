"""Addresses of the portal, below `/portal/`."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("taktura.portal.account.urls"))]
