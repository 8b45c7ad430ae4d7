"""Addresses of tariffs and articles."""

from django.urls import path

from taktura.office.tariffs import articles, changes, detail, overview

urlpatterns = [
    path("", overview.tariffs, name="tariffs"),
    path("new/", changes.new, name="tariff_new"),
    path("<int:pk>/", detail.tariff, name="tariff"),
    path("<int:pk>/versions/", detail.versions, name="tariff_versions"),
    path("<int:pk>/contracts/", detail.contracts, name="tariff_contracts"),
    path("<int:pk>/history/", detail.history, name="tariff_history"),
    path("<int:pk>/prices/", changes.prices, name="tariff_prices"),
    path("<int:pk>/prices/consequence/", changes.prices_consequence, name="tariff_prices_consequence"),
    path("<int:pk>/copy/", changes.copy, name="tariff_copy"),
    path("<int:pk>/retire/", changes.retire, name="tariff_retire"),
    path("<int:pk>/offer/", changes.offer_again, name="tariff_offer_again"),
    path("<int:pk>/delete/", changes.delete, name="tariff_delete"),
    path("articles/", articles.articles, name="articles"),
    path("articles/<int:pk>/", articles.article, name="article"),
]
