"""Addresses of the customers' portal."""

from django.urls import path

from taktura.portal.account import (
    acts,
    contracts,
    data,
    documents,
    ending,
    home,
    lines,
    people,
    signing,
    tickets,
    usage,
)

urlpatterns = [
    path("", home.home, name="portal_home"),
    path("sign-in/", signing.sign_in, name="portal_sign_in"),
    path("sign-in/password/", signing.sign_in_by_password, name="portal_sign_in_by_password"),
    path("sign-in/<str:secret>/", signing.use_link, name="portal_use_link"),
    path("password/", signing.password_wanted, name="portal_password"),
    path("password/<str:secret>/", signing.set_password, name="portal_set_password"),
    path("sign-out/", signing.sign_out, name="portal_sign_out"),
    path("language/", signing.choose_language, name="portal_language"),
    path("end-contract/<int:seller>/", ending.end_contract, name="portal_end_contract"),
    path("<int:customer>/", home.customer, name="portal_customer"),
    path("<int:customer>/documents/", documents.documents, name="portal_documents"),
    path("<int:customer>/documents/<int:pk>/", documents.document, name="portal_document"),
    path(
        "<int:customer>/documents/<int:pk>/lines/<int:position>/usage/", usage.line_usage, name="portal_document_usage"
    ),
    path(
        "<int:customer>/documents/<int:pk>/lines/<int:position>/usage/list.csv",
        usage.line_usage_csv,
        name="portal_document_usage_csv",
    ),
    path("<int:customer>/documents/<int:pk>/pdf/", documents.pdf, name="portal_document_pdf"),
    path("<int:customer>/documents/<int:pk>/xml/", documents.xml, name="portal_document_xml"),
    path("<int:customer>/tickets/", tickets.tickets, name="portal_tickets"),
    path("<int:customer>/tickets/new/", tickets.new, name="portal_ticket_new"),
    path("<int:customer>/tickets/<int:pk>/", tickets.ticket, name="portal_ticket"),
    path("<int:customer>/tickets/<int:pk>/files/<int:number>/", tickets.file, name="portal_ticket_file"),
    path("<int:customer>/data/", data.data, name="portal_data"),
    path("<int:customer>/data/profile/", data.profile, name="portal_profile"),
    path("<int:customer>/data/change/", data.change, name="portal_data_change"),
    path("<int:customer>/people/", people.people, name="portal_people"),
    path("<int:customer>/people/invite/", people.invite, name="portal_invite"),
    path("<int:customer>/people/<int:pk>/", people.person, name="portal_person"),
    path("<int:customer>/people/<int:pk>/sign-out/", people.sign_out, name="portal_person_sign_out"),
    path("<int:customer>/people/<int:pk>/end/", people.end, name="portal_person_end"),
    path("<int:customer>/contracts/<int:pk>/", contracts.contract, name="portal_contract"),
    path("<int:customer>/contracts/<int:pk>/usage/", usage.usage, name="portal_usage"),
    path("<int:customer>/contracts/<int:pk>/usage/list.csv", usage.usage_csv, name="portal_usage_csv"),
    path("<int:customer>/contracts/<int:pk>/notice/", acts.notice, name="portal_notice"),
    path("<int:customer>/contracts/<int:pk>/withdraw/", acts.withdraw, name="portal_withdraw"),
    path("<int:customer>/contracts/<int:pk>/book/", lines.book, name="portal_book"),
    path("<int:customer>/contracts/<int:pk>/lines/<int:line>/notice/", acts.line_notice, name="portal_line_notice"),
    path(
        "<int:customer>/contracts/<int:pk>/lines/<int:line>/withdraw/", acts.line_withdraw, name="portal_line_withdraw"
    ),
    path("<int:customer>/contracts/<int:pk>/lines/<int:line>/", lines.quantity, name="portal_quantity"),
]
