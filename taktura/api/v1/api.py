"""The API itself: its routers, what it says of refusals, what it says of itself."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from taktura.api.openapi import complete
from taktura.api.parsing import ExactParser
from taktura.api.problems import TEXTS, Fault, faulty, language_of, problem, refused, unfit
from taktura.api.v1 import (
    answer_templates,
    articles,
    billing,
    bring_in,
    contracts,
    control,
    coupons,
    customers,
    documents,
    drafts,
    extending,
    forecast,
    hours,
    jobs,
    keys,
    mailboxes,
    mails,
    matching,
    me,
    modules,
    offer_numbers,
    onboarding,
    orders,
    portal_users,
    price_lists,
    rates,
    reconciliation,
    reports,
    sellers,
    service_levels,
    supplier_files,
    supplier_invoices,
    suppliers,
    take_over,
    tariffs,
    ticket_mails,
    tickets,
    time,
    timers,
    usage,
    usage_keys,
    used_services,
    users,
    webhooks,
    what_if,
)
from taktura.api.v1 import log as log_of_changes
from taktura.core.errors import Refused
from taktura.kit.language import translate

log = logging.getLogger("taktura.api")


class Api(NinjaAPI):
    """Ninja's, with an OpenAPI document that says more. It is made once: it never changes while the server runs."""

    _document: dict[str, Any] | None = None

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        """The OpenAPI document."""
        if self._document is None:
            self._document = complete(super().get_openapi_schema(path_prefix="api/v1"), self)
        return self._document

    def set_default_exception_handlers(self) -> None:
        """Every refusal is a problem of one form."""
        for kind, handler in HANDLERS.items():
            self.add_exception_handler(kind, handler)


def _simple(text: str, code: str = "", **values: Any) -> Any:
    """A handler that says one sentence; the cause is in the log."""

    def handle(request: HttpRequest, error: Exception) -> HttpResponse:
        log.info("%s %s: %s", request.method, request.path, error)
        return faulty(request, Fault(text, code=code, **values))

    return handle


def _http_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """What ninja refuses: a body that the parser has refused."""
    if isinstance(error.__cause__, Fault):
        return faulty(request, error.__cause__)
    return faulty(request, Fault("malformed", why=str(error)))


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("%s %s: %s", request.method, request.path, error)
    return faulty(request, Fault("unavailable", headers={"Retry-After": "1"}))


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(request, "failed", translate(TEXTS["failed"], {}, language_of(request)))


HANDLERS: dict[type[Exception], Any] = {
    Fault: faulty,
    Refused: refused,
    ValidationError: lambda request, error: unfit(request, error.errors),
    HttpError: _http_error,
    RequestDataTooBig: _simple("too_large", most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    Http404: _simple("nothing_here", "not_found", path=""),
    # What the checks before have let through: two at once, or a value that the database does not take.
    IntegrityError: _simple("taken", "conflict"),
    DataError: _simple("out_of_range", "invalid"),
    OverflowError: _simple("out_of_range", "invalid"),
    OperationalError: _unavailable,
    Exception: _failed,
}
DESCRIPTION = """All that Taktura does, for other systems. The words are those of the scenario format, the codes of
refusals too. Numbers are exact: write decimals as texts or as JSON numbers, read them as texts."""

api = Api(
    title="Taktura",
    version="1",
    description=DESCRIPTION,
    parser=ExactParser(),
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
)
ROUTERS = {
    "Key": me.router,
    "Seller": sellers.router,
    "Customers": customers.router,
    "Articles": articles.router,
    "Tariffs": tariffs.router,
    "Coupons": coupons.router,
    "Modules": modules.router,
    "Offer numbers": offer_numbers.router,
    "Price lists": price_lists.router,
    "Onboarding": onboarding.router,
    "Customer files": bring_in.router,
    "Customer portal": portal_users.router,
    "Drafts of tariffs": drafts.router,
    "Orders": orders.router,
    "Contracts": contracts.router,
    "Contract files": take_over.router,
    "Usage": usage.router,
    "Keys of usage": usage_keys.router,
    "Matching again": matching.router,
    "Suppliers": suppliers.router,
    "Extending contracts": extending.router,
    "Usage files": supplier_files.router,
    "Invoices of suppliers": supplier_invoices.router,
    "Exchange rates": rates.router,
    "Reconciliation": reconciliation.router,
    "Billing": billing.router,
    "Services without a contract": used_services.router,
    "Forecast": forecast.router,
    "Included hours": hours.router,
    "What-if": what_if.router,
    "Documents": documents.router,
    "Time": time.router,
    "Timers": timers.router,
    "Tickets": tickets.router,
    "Mails about tickets": ticket_mails.router,
    "Answer templates": answer_templates.router,
    "Service levels": service_levels.router,
    "Control": control.router,
    "Reports": reports.router,
    "Webhooks": webhooks.router,
    "Mails": mails.router,
    "Mailboxes": mailboxes.router,
    "Users": users.router,
    "Keys": keys.router,
    "Jobs": jobs.router,
    "Log": log_of_changes.router,
}
for name, router in ROUTERS.items():
    api.add_router("", router, tags=[name])
