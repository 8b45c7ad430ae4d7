"""Proving the log in the background."""

from typing import Any

from procrastinate.contrib.django import app

from taktura.audit.services import prove
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.services import Tell, carry_out, start

PROOF = "prove_log"  # a kind of long work
SHOWN = 20  # broken entries that are named


def start_proof(actor: Actor) -> Work:
    """Prove the whole log in the background. Raises `Refused` (`conflict`) while that is under way."""
    return start(actor, kind=PROOF, subject="log", parameters={}, task=prove_log)


@app.task(name="prove_log", queue="proof", retry=AGAIN)
def prove_log(work: int) -> None:
    """Work out every hash of the log again."""
    carry_out(work, utc_now, _prove)


def _prove(work: Work, tell: Tell) -> dict[str, Any]:
    proof = prove(tell)
    return {"entries": proof.entries, "last": proof.last, "hash": proof.hash, "broken": proof.broken[:SHOWN],
            "number_broken": len(proof.broken)}  # fmt: skip
