"""Queues of the service desk: where tickets wait for somebody."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import Queue
from taktura.office import seen
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Link, Listing, list_page, yes_no
from taktura.office.page import actor_of, page, seller_of


class QueueForm(forms.Form):
    """A queue."""

    name = forms.CharField(label=lazy("Name"), max_length=100)
    active = forms.BooleanField(
        label=lazy("Tickets can be put in it"), required=False, initial=True,
        help_text=lazy("Otherwise those that are in it stay, and no others come."),
    )  # fmt: skip

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if is_new:
            del self.fields["active"]


@page("settings.view")
def queues(request: HttpRequest) -> HttpResponseBase:
    """All queues of the seller."""
    return list_page(
        request,
        Listing(
            slug="queues",
            title=_("Queues"),
            rows=Queue.objects.filter(seller=seller_of(request)),
            columns=[
                Column(name="name", label=_("Name"), value=lambda q: q.name, sort="name"),
                Column(name="active", label=_("In use"), value=lambda q: yes_no(q.active)),
            ],
            order="name",
            link=lambda q: reverse("queue", args=[q.pk]),
            primary=Link(label=_("New queue"), url=reverse("queue_new"), permission="settings.change"),
            empty_title=_("No queues yet"),
            empty_text=_("Tickets wait in queues for somebody: first line, on site. Without one they wait together."),
        ),
    )


@page("settings.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a queue."""
    form = QueueForm(request.POST or None, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_queue(actor_of(request), seller=seller_of(request), name=form.cleaned_data["name"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("queues")
    return _form(request, form, _("New queue"))


@page("settings.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a queue, or put it out of use."""
    queue = get_object_or_404(Queue, seller=seller_of(request), pk=pk)
    form = QueueForm(request.POST or None, initial={"name": queue.name, "active": queue.active}, is_new=False)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_queue(actor_of(request), queue=queue, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("queues")
    return _form(request, form, queue.name, seen=shown)


def _form(request: HttpRequest, form: QueueForm, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "back": reverse("queues"), "parent": _("Queues"), **more}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
