"""Addresses of usage."""

from django.urls import path

from taktura.office.usage import customers, files, links, overview, record, records, subscriptions, suppliers, waiting

urlpatterns = [
    path("", overview.usage, name="usage"),
    path("arrived/", overview.chart, name="usage_arrived"),
    path("waiting/", waiting.waiting, name="usage_waiting"),
    path("waiting/again/", waiting.again, name="usage_again"),
    path("waiting/send/", waiting.send, name="usage_send"),
    path("files/", files.files, name="usage_files"),
    path("files/new/", files.new, name="usage_import"),
    path("files/<int:pk>/", files.file, name="usage_file"),
    path("files/<int:pk>/problems/", files.problems, name="usage_file_problems"),
    path("files/<int:pk>/content/", files.content, name="usage_file_content"),
    path("suppliers/", suppliers.suppliers, name="suppliers"),
    path("suppliers/new/", suppliers.new, name="supplier_new"),
    path("suppliers/<int:pk>/", suppliers.supplier, name="supplier"),
    path("suppliers/<int:pk>/change/", suppliers.change, name="supplier_change"),
    path("suppliers/sample/", suppliers.sample, name="supplier_sample"),
    path("suppliers/<int:pk>/products/", suppliers.products, name="supplier_products"),
    path("subscriptions/", subscriptions.subscriptions, name="supplier_subscriptions"),
    path("subscriptions/link/", links.many, name="subscriptions_link"),
    path("subscriptions/<int:pk>/", subscriptions.subscription, name="supplier_subscription"),
    path("subscriptions/<int:pk>/link/", links.link, name="subscription_link"),
    path("subscriptions/<int:pk>/unlink/", links.unlink, name="subscription_unlink"),
    path("subscriptions/<int:pk>/extend/", links.extend, name="subscription_extend"),
    path("subscriptions/<int:pk>/extend/preview/", links.extend_preview, name="subscription_extend_preview"),
    path("customers/", customers.customers, name="supplier_customers"),
    path("customers/<int:pk>/link/", customers.link, name="supplier_customer_link"),
    path("customers/<int:pk>/unlink/", customers.unlink, name="supplier_customer_unlink"),
    path("records/", records.records, name="usage_records"),
    path("records/new/", record.new, name="usage_new"),
    path("records/<int:pk>/", record.record, name="usage_record"),
    path("records/<int:pk>/correct/", record.correct, name="usage_correct"),
    path("records/<int:pk>/withdraw/", record.withdraw, name="usage_withdraw"),
    path("revisions/<int:pk>/", record.revision, name="usage_revision"),
]
