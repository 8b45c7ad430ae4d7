"""Addresses of drafts of tariffs."""

from django.urls import path

from taktura.office.tariffs.drafts import overview, publish, settings

urlpatterns = [
    path("<int:pk>/", overview.draft, name="tariff_draft"),
    path("<int:pk>/settings/", settings.settings, name="tariff_draft_settings"),
    path("<int:pk>/settings/consequence/", settings.consequence, name="tariff_draft_settings_consequence"),
    path("<int:pk>/publish/", publish.publish, name="tariff_draft_publish"),
    path("<int:pk>/publish/consequence/", publish.consequence, name="tariff_draft_publish_consequence"),
    path("<int:pk>/catch-up/", publish.catch_up, name="tariff_draft_catch_up"),
    path("<int:pk>/discard/", overview.discard, name="tariff_draft_discard"),
]
