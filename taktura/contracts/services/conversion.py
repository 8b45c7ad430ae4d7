"""Whether a contract takes suppliers' amounts in another currency than its own, and by which rate."""

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.exchange import RULES
from taktura.kit.actor import Actor


@act
def allow_conversion(actor: Actor, *, contract: Contract, rule: str) -> None:
    """Let amounts of suppliers in another currency be converted: by the rate of the usage's own `day`, or of the first
    day of its `month`; an empty rule: they wait.

    It holds for usage that finds its line from now on; what is recorded keeps its rate. Raises `Refused` (`invalid`).
    """
    check_conversion(rule)
    contract.conversion = rule
    contract.save(update_fields=["conversion"])
    record(actor, "allow_conversion", f"contract:{contract.pk}", {"conversion": rule})


def check_conversion(rule: str) -> None:
    """Refuse (`invalid`) what is no rule."""
    if rule not in ("", *RULES):
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=rule[:50], known=", ".join(RULES))
