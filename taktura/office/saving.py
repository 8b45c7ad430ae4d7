"""Keeping a list page's filter under a name."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from taktura.office.lists import save_filter
from taktura.office.page import STAFF, back_of, page, user_of


@page(STAFF)
@require_POST
def keep_filter(request: HttpRequest) -> HttpResponse:
    """Keep the filter named; without a query it is taken away."""
    name, query = (request.POST.get(field, "").replace("\0", "").strip() for field in ("name", "query"))
    slug = request.POST.get("slug", "")
    if name and slug.isidentifier():
        save_filter(user_of(request), slug, name, f"?{query}" if query else "")
    return redirect(back_of(request))
