"""Addresses of customers."""

from django.urls import path

from taktura.office.customers import billing, bring_in, changes, configure, detail, hours, overview, portal

urlpatterns = [
    path("", overview.customers, name="customers"),
    path("new/", changes.new, name="customer_new"),
    path("<int:pk>/", detail.customer, name="customer"),
    path("<int:pk>/contracts/", detail.contracts, name="customer_contracts"),
    path("<int:pk>/documents/", detail.documents, name="customer_documents"),
    path("<int:pk>/tickets/", detail.tickets, name="customer_tickets"),
    path("<int:pk>/hours/", hours.hours, name="customer_hours"),
    path("<int:pk>/hours/new/", hours.new, name="hours_new"),
    path("<int:pk>/hours/<int:hours>/", hours.statement, name="hours"),
    path("<int:pk>/hours/<int:hours>/change/", hours.change, name="hours_change"),
    path("<int:pk>/hours/<int:hours>/end/", hours.end, name="hours_end"),
    path("<int:pk>/hours/<int:hours>/take-back/", hours.take_back, name="hours_take_back"),
    path("<int:pk>/history/", detail.history, name="customer_history"),
    path("<int:pk>/portal/", portal.people, name="customer_portal"),
    path("<int:pk>/portal/invite/", portal.invite, name="customer_portal_invite"),
    path("<int:pk>/portal/<int:access>/role/", portal.change_role, name="customer_portal_role"),
    path("<int:pk>/portal/<int:access>/end/", portal.end, name="customer_portal_end"),
    path("<int:pk>/portal/<int:access>/sign-out/", portal.sign_out, name="customer_portal_sign_out"),
    path("<int:pk>/change/", changes.change, name="customer_change"),
    path("bring-in/", bring_in.bring_in, name="customers_bring_in"),
    path("bring-in/example/", bring_in.example, name="customers_bring_in_example"),
    path("billing/", billing.work_off, name="customers_billing"),
    path("<int:pk>/billing/", billing.billing, name="customer_billing"),
    path("<int:pk>/billing/consequence/", billing.billing_consequence, name="customer_billing_consequence"),
    path("<int:pk>/configure/", configure.configure, name="customer_configure"),
    path("<int:pk>/configure/profile/", configure.switch_profile, name="customer_profile"),
]
