"""Keeping a list page's filter under a name."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from taktura.office.lists import save_filter
from taktura.office.page import STAFF, page, user_of


@page(STAFF)
@require_POST
def keep_filter(request: HttpRequest) -> HttpResponse:
    """Keep the filter named; without a query it is taken away."""
    name, query = request.POST.get("name", "").strip(), request.POST.get("query", "")
    slug = request.POST.get("slug", "")
    if name and slug.isidentifier():
        save_filter(user_of(request), slug, name, f"?{query}" if query else "")
    target = request.POST.get("next", "/")
    return redirect(target if url_has_allowed_host_and_scheme(target, {request.get_host()}) else "/")
