"""Addresses of sign-in, second factors and sessions: allauth's, less those that a house with invitations does not
need."""

from django.urls import include, path

from taktura.office.accounts import views
from taktura.office.errors import not_found

urlpatterns = [
    path("signup/", not_found),
    path("email/", not_found),
    path("confirm-email/<path:rest>", not_found),
    path("", include("allauth.account.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    path("second-factor-needed/", views.second_factor_needed, name="second_factor_needed"),
    path("invitation/<str:secret>/", views.accept, name="accept_invitation"),
    path("language/", views.choose_language, name="choose_language"),
    path("theme/", views.choose_theme, name="choose_theme"),
    path("seller/", views.choose_seller, name="choose_seller"),
]
