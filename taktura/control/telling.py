"""What the log says of alerts; the entries are events for webhooks, too."""

from collections.abc import Iterable
from typing import Any

from taktura.contracts.models import ContractLine
from taktura.control.models import Alert
from taktura.control.watching import Outcome
from taktura.kit.bulk import among

Told = tuple[str, str, dict[str, Any]]  # action, subject, data


def told(outcome: Outcome) -> list[Told]:
    """The entries of the log for what became of alerts, one for each, in the order in which it happened."""
    parts = (
        ("alert_resolved", outcome.resolved), ("alert_raised", outcome.raised), ("alert_raised_again", outcome.again),
    )  # fmt: skip
    articles = articles_of(alert for _, alerts in parts for alert in alerts)
    return [
        (action, f"contract:{alert.contract_id}", _said(alert, articles))
        for action, alerts in parts
        for alert in alerts
    ]


def articles_of(alerts: Iterable[Alert]) -> dict[int, str]:
    """The articles' keys of the lines that alerts are of."""
    lines = {alert.line_id for alert in alerts if alert.line_id is not None}
    if not lines:
        return {}
    return dict(ContractLine.objects.filter(pk__in=among(lines)).values_list("pk", "article__key"))


def _said(alert: Alert, articles: dict[int, str]) -> dict[str, Any]:
    return {
        "alert": alert.pk,
        "kind": alert.kind,
        "article": articles[alert.line_id] if alert.line_id is not None else None,
        "forecast": alert.forecast,
        "start": alert.start,
        "until": alert.end,
        "value": alert.value,
        "bound": alert.bound,
        "foreseen": alert.foreseen,
        "tolerance": alert.tolerance,
    }
