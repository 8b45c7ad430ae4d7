"""Addresses of the office."""

from django.urls import URLPattern, URLResolver, path

from taktura.office import home

urlpatterns: list[URLPattern | URLResolver] = [path("", home.home, name="home")]
