"""Addresses of the service desk."""

from django.urls import path

from taktura.office.desk import listing, live, merging, moving, opening, quick, said, templates, ticket, waiting

urlpatterns = [
    path("", listing.tickets, name="desk"),
    path("mails/", waiting.mails, name="waiting_mails"),
    path("mails/<int:pk>/", waiting.mail, name="waiting_mail"),
    path("mails/<int:pk>/throw-away/", waiting.throw_away, name="waiting_mail_throw_away"),
    path("templates/", templates.templates, name="answer_templates"),
    path("templates/new/", templates.new, name="answer_template_new"),
    path("templates/<int:pk>/", templates.change, name="answer_template"),
    path("templates/<int:pk>/remove/", templates.remove, name="answer_template_remove"),
    path("tickets/move/", moving.move, name="tickets_move"),
    path("tickets/new/", opening.new, name="ticket_new"),
    path("tickets/new/lines/", opening.lines, name="ticket_lines"),
    path("tickets/customers/", opening.customers, name="ticket_customers"),
    path("tickets/<int:pk>/", ticket.ticket, name="ticket"),
    path("changed/", live.tickets_changed, name="tickets_changed"),
    path("tickets/<int:pk>/changed/", live.ticket_changed, name="ticket_changed"),
    path("tickets/<int:pk>/solve/", quick.solve, name="ticket_solve"),
    path("tickets/<int:pk>/take/", quick.take, name="ticket_take"),
    path("tickets/<int:pk>/answer/", ticket.answer, name="ticket_answer"),
    path("tickets/<int:pk>/merge/", merging.merge, name="ticket_merge"),
    path("tickets/<int:pk>/merge/consequence/", merging.consequence, name="ticket_merge_preview"),
    path("tickets/<int:pk>/insert/", templates.insert, name="ticket_insert"),
    path("tickets/<int:pk>/change/", ticket.change, name="ticket_change"),
    path("tickets/<int:pk>/files/<int:number>/", said.attachment, name="ticket_attachment"),
]
