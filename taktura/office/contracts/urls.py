"""Addresses of contracts."""

from django.urls import path

from taktura.office.contracts import history, listing, overview, signing, usage
from taktura.office.contracts.acts import ACTS, views

urlpatterns = [
    path("", listing.contract_list, name="contracts"),
    path("sign/", signing.sign, name="sign_contract"),
    path("sign/preview/", signing.preview, name="sign_contract_preview"),
    path("sign/offer/", signing.offer, name="sign_offer"),
    path("sign/customers/", signing.customers, name="sign_customers"),
    path("<int:pk>/", overview.contract, name="contract"),
    path("<int:pk>/components/", overview.lines, name="contract_lines"),
    path("<int:pk>/usage/", usage.usage, name="contract_usage"),
    path("<int:pk>/documents/", overview.documents, name="contract_documents"),
    path("<int:pk>/history/", history.history, name="contract_history"),
    path("<int:pk>/history/<int:entry>/", history.change, name="contract_change"),
    *(address for act in ACTS for address in views(act)),
]
