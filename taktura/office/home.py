"""The home page: what must I do today?"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from taktura.office.page import STAFF, page


@page(STAFF)
def home(request: HttpRequest) -> HttpResponse:
    """What is to be done."""
    return render(request, "office/home.html")
