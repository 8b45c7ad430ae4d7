"""Addresses of contracts."""

from django.urls import path

from taktura.office.contracts import (
    confirmation,
    history,
    listing,
    notices,
    onboarding,
    overview,
    signing,
    take_over,
    transfer,
    usage,
    usage_list,
)
from taktura.office.contracts.acts import ACTS, views

urlpatterns = [
    path("", listing.contract_list, name="contracts"),
    path("sign/", signing.sign, name="sign_contract"),
    path("sign/preview/", signing.preview, name="sign_contract_preview"),
    path("sign/offer/", signing.offer, name="sign_offer"),
    path("sign/customers/", signing.customers, name="sign_customers"),
    path("take-over/", take_over.take_over, name="take_over"),
    path("take-over/example/", take_over.example, name="take_over_example"),
    path("onboarding/", onboarding.customers, name="onboarding"),
    path("onboarding/contract/", onboarding.contract, name="onboarding_contract"),
    path("onboarding/billing/", onboarding.billing_information, name="onboarding_billing"),
    path("onboarding/lines/", onboarding.lines, name="onboarding_lines"),
    path("onboarding/preview/", onboarding.preview, name="onboarding_preview"),
    path("onboarding/close/", onboarding.close, name="onboarding_close"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<int:notice>/", notices.notice_request, name="notice_request"),
    path("notices/<int:notice>/close/", notices.close, name="close_notice"),
    path("<int:pk>/", overview.contract, name="contract"),
    path("<int:pk>/components/", overview.lines, name="contract_lines"),
    path("<int:pk>/usage/", usage.usage, name="contract_usage"),
    path("<int:pk>/usage/list.csv", usage_list.usage_list, {"form": "csv"}, name="contract_usage_csv"),
    path("<int:pk>/usage/list.xlsx", usage_list.usage_list, {"form": "xlsx"}, name="contract_usage_xlsx"),
    path("<int:pk>/documents/", overview.documents, name="contract_documents"),
    path("<int:pk>/history/", history.history, name="contract_history"),
    path("<int:pk>/history/<int:entry>/", history.change, name="contract_change"),
    path("<int:pk>/history/<int:entry>/confirmation/", confirmation.confirmation, name="notice_confirmation"),
    path("<int:pk>/history/<int:entry>/confirmation/send/", confirmation.send_confirmation, name="send_confirmation"),
    path("<int:pk>/transfer/", transfer.transfer, name="transfer_contract"),
    path("<int:pk>/transfer/preview/", transfer.preview, name="transfer_contract_preview"),
    *(address for act in ACTS for address in views(act)),
]
