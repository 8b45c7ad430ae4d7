"""Addresses of documents."""

from django.urls import path

from taktura.office.documents import acts, detail, einvoice, listing, payments, proof

urlpatterns = [
    path("", listing.documents, name="documents"),
    path("payments/", payments.pay_documents, name="pay_documents"),
    path("<int:pk>/", detail.document, name="document"),
    path("<int:pk>/printed/", detail.document_print, name="document_print"),
    path("<int:pk>/pdf/", detail.document_pdf, name="document_pdf"),
    path("<int:pk>/einvoice/<slug:profile>/", einvoice.document_einvoice, name="document_einvoice"),
    path("<int:pk>/payments/", detail.document_payments, name="document_payments"),
    path("<int:pk>/payments/new/", acts.pay_document, name="pay_document"),
    path("<int:pk>/payments/preview/", acts.preview_payment, name="preview_payment"),
    path("<int:pk>/mails/", detail.document_mails, name="document_mails"),
    path("<int:pk>/mails/new/", acts.send_document, name="send_document"),
    path("<int:pk>/mails/<int:mail>/again/", acts.resend_mail, name="resend_mail"),
    path("<int:pk>/history/", detail.document_history, name="document_history"),
    path("<int:pk>/credit/", acts.credit_document, name="credit_document"),
    path("<int:pk>/credit/preview/", acts.preview_credit, name="preview_credit"),
    path("<int:pk>/lines/<int:position>/", proof.document_line, name="document_line"),
]
