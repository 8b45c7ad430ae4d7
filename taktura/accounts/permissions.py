"""What a role may do. One table; every page, endpoint and key asks it.

A permission is `subject.action`. Whoever may change a subject may see it.
"""

from typing import Final

VIEWS: Final = (
    "customers.view",
    "tariffs.view",
    "contracts.view",
    "usage.view",
    "desk.view",
    "billing.view",
    "documents.view",
    "control.view",
    "settings.view",
    "jobs.view",
    "log.view",
)
CHANGES: Final = (
    "customers.change",
    "tariffs.change",
    "contracts.change",
    "usage.change",
    "desk.change",
    "time.approve",
    "sales.change",
    "billing.run",
    "documents.credit",
    "documents.send",
    "payments.change",
    "control.change",
    "settings.change",
    "accounts.change",
    "keys.change",
    "webhooks.change",
    "jobs.retry",
)
PERMISSIONS: Final = VIEWS + CHANGES

_COMMON = {
    "customers.view", "tariffs.view", "contracts.view", "usage.view", "desk.view", "billing.view", "documents.view",
    "control.view",
}  # fmt: skip

ROLES: Final[dict[str, frozenset[str]]] = {
    "admin": frozenset(PERMISSIONS),
    "billing": frozenset(
        {*VIEWS, "customers.change", "contracts.change", "usage.change", "sales.change", "billing.run"}
        | {
            "desk.change",
            "time.approve",
            "documents.credit",
            "documents.send",
            "payments.change",
            "control.change",
            "jobs.retry",
        }
    ),
    "sales": frozenset(
        {*_COMMON, "customers.change", "tariffs.change", "contracts.change", "sales.change", "documents.send"}
        | {"control.change"}
    ),
    "lead": frozenset(
        {*_COMMON, "jobs.view", "log.view", "usage.change", "sales.change", "control.change"}
        | {"desk.change", "time.approve"}
    ),
    "technician": frozenset({"customers.view", "contracts.view", "usage.view", "desk.view", "desk.change"}),
    "viewer": frozenset(_COMMON),
}

# Roles with one of these may be made to sign in with a second factor.
BILLING: Final = frozenset({"billing.run", "documents.credit", "payments.change"})


def may_bill(role: str) -> bool:
    """Whether a role can move money."""
    return bool(ROLES[role] & BILLING)
