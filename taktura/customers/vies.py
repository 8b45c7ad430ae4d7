"""VIES, the register of VAT ids of the European Union: whether the state of a VAT id confirms it.

The answer is one of three: confirmed, refused, or none (`unanswered`): VIES or the state's own register is often away,
and what it says then is no answer about the VAT id. No fault of it reaches the caller.
"""

import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from taktura.customers import vat_id

log = logging.getLogger(__name__)

ADDRESS: Final = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"
WAIT_SECONDS: Final = 10.0  # for the connection, and for each piece of the answer
ALL_SECONDS: Final = 20.0
MOST_BYTES: Final = 64 * 1024
MOST_IDENTIFIER: Final = 50  # characters

CONFIRMED, REFUSED, UNANSWERED = "confirmed", "refused", "unanswered"
STATES: Final = (CONFIRMED, REFUSED, UNANSWERED)
_OF_REQUESTER: Final = "INVALID_REQUESTER_INFO"


@dataclass(frozen=True, slots=True)
class Answer:
    """What VIES says of a VAT id: a state of `STATES`; the number under which it keeps that it was asked; why there is
    no answer."""

    state: str
    identifier: str = ""
    error: str = ""


def ask(wanted: str, requester: str = "") -> Answer:
    """Ask whether a VAT id (of an EU state) is confirmed. `requester`: the VAT id of whoever asks, for which VIES gives
    the question a number; one that VIES does not know is left out. Never raises; takes at most some 40 seconds."""
    found = _asked(wanted, requester)
    if found.error == _OF_REQUESTER and requester:
        return _asked(wanted, "")
    return found


def _asked(wanted: str, requester: str) -> Answer:
    text, own = vat_id.normal(wanted), vat_id.normal(requester)
    question = {"countryCode": text[:2], "vatNumber": text[2:]}
    if own and vat_id.country_of(own) in vat_id.EU:
        question |= {"requesterMemberStateCode": own[:2], "requesterNumber": own[2:]}
    try:
        return _read(_post(question))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
        log.info("VIES gave no answer: %s", error or type(error).__name__)
        return Answer(UNANSWERED, error=type(error).__name__)


def _post(question: dict[str, str]) -> Any:
    """The answer as it came, of an HTTP answer of whatever status: refusals of VIES have a body, too."""
    end, content = time.monotonic() + ALL_SECONDS, b""
    with (
        httpx.Client(timeout=WAIT_SECONDS, follow_redirects=False) as client,
        client.stream("POST", ADDRESS, json=question, headers={"Accept": "application/json"}) as answer,
    ):
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > MOST_BYTES:
                raise ValueError("it is too long")
            if time.monotonic() > end:
                raise TimeoutError("it took too long")
    found = json.loads(content)
    if answer.status_code != 200 and not (isinstance(found, dict) and found.get("errorWrappers")):
        raise ValueError(f"status {answer.status_code}")
    return found


def _read(found: Any) -> Answer:
    if not isinstance(found, dict):
        return Answer(UNANSWERED, error="no object")
    faults = found.get("errorWrappers")
    if faults or found.get("actionSucceed") is False:
        first = faults[0] if isinstance(faults, list) and faults and isinstance(faults[0], dict) else {}
        return Answer(UNANSWERED, error=str(first.get("error", ""))[:100])
    if not isinstance(found.get("valid"), bool):
        return Answer(UNANSWERED, error="no verdict")
    identifier = str(found.get("requestIdentifier") or "")[:MOST_IDENTIFIER]
    return Answer(CONFIRMED if found["valid"] else REFUSED, identifier)
