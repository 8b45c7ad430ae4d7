"""Addresses of the service desk."""

from django.urls import path

from taktura.office.desk import listing, opening, ticket

urlpatterns = [
    path("", listing.tickets, name="desk"),
    path("tickets/new/", opening.new, name="ticket_new"),
    path("tickets/new/lines/", opening.lines, name="ticket_lines"),
    path("tickets/customers/", opening.customers, name="ticket_customers"),
    path("tickets/<int:pk>/", ticket.ticket, name="ticket"),
    path("tickets/<int:pk>/answer/", ticket.answer, name="ticket_answer"),
    path("tickets/<int:pk>/change/", ticket.change, name="ticket_change"),
]
