"""Whether the program is alive, and whether it is ready: JSON for a service manager, a proxy, a watcher. No secrets."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from taktura.kit import schema
from taktura.kit.clock import utc_now
from taktura.kit.jobs.queries import worker_seen


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nobody else: a database that is away is no reason to start this process anew."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether requests can be answered: 503 without the database, or where its schema is not the program's.

    Where no worker was seen lately it is `degraded`, still with 200: people can work, mails and webhooks wait.
    """
    found = {"database": "unreachable", "schema": "unknown", "worker": "unknown"}
    try:
        found |= {"schema": schema.state(), "database": "ok"}
        if found["schema"] == schema.OK:
            found["worker"] = "ok" if worker_seen(utc_now()) else "not seen"
    except Error:
        connection.close()
    able = found["database"] == found["schema"] == "ok"
    status = ("ready" if found["worker"] == "ok" else "degraded") if able else "not ready"
    return JsonResponse({"status": status, **found}, status=200 if able else 503)
