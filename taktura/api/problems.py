"""What is refused, as `application/problem+json` (RFC 9457) in the language that the request asks for."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from taktura.core.errors import Refused
from taktura.kit.language import LANGUAGES, text_of, translate

MEDIA = "application/problem+json"

# The HTTP status of each code. Those of the rules first (docs/scenarios.md), then those of this door.
STATUS: dict[str, int] = {
    "already_credited": 409,
    "billing_information_missing": 409,
    "closed_period": 409,
    "conflict": 409,
    "contract_ended": 409,
    "credit_too_high": 422,
    "invalid": 422,
    "minimum_above_cap": 422,
    "module_in_use": 409,
    "no_flagged_line": 422,
    "not_found": 404,
    "number_already_used": 409,
    "numbering_unconfirmed": 409,
    "overlapping_flags": 422,
    "quantity_not_changeable": 409,
    "tariff_in_use": 409,
    "tariff_retired": 409,
    "unknown_offer_number": 422,
    "malformed": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "method_not_allowed": 405,
    "idempotency_in_progress": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "failed": 500,
    "unavailable": 503,
}
RULE_CODES = tuple(STATUS)[: list(STATUS).index("malformed")]

# What this door itself refuses. `python -m tools.messages` collects them.
TEXTS = {
    "malformed": "The body cannot be read as JSON: %(why)s.",
    "unauthorized": "Send a key that is valid: “Authorization: Bearer tk_…”.",
    "forbidden": "This key does not have the scope “%(scope)s”: use one that has.",
    "nothing_here": "There is nothing at the address %(path)s.",
    "method_not_allowed": "The method %(method)s is not known at this address.",
    "idempotency_in_progress": "A request with this Idempotency-Key is still under way: wait a little, then repeat it.",
    "precondition_failed": "It has been changed since you read it: read it again, then repeat the change.",
    "too_large": "The body has more than %(most)s bytes: send less at a time.",
    "unsupported_media_type": "Send the body as %(media)s.",
    "idempotency_key_reused": "This Idempotency-Key came with another request before: choose a new one.",
    "idempotency_key_form": "An Idempotency-Key has 1 to 255 printable ASCII characters.",
    "rate_limited": "Too many requests with this key: go on in %(seconds)s s.",
    "failed": "The server has failed; nothing was changed. The fault is in its log.",
    "unavailable": "The database is not available or too busy; nothing was changed. Try again.",
    "taken": "Something of this name or number is there already.",
    "out_of_range": "A number, a text or a day is beyond what can be kept.",
    "fields": "The request does not fit: %(count)s fault(s), see “errors”.",
    "choose_seller": "There are several sellers: choose one by the header Taktura-Seller.",
    "no_seller": "There is no seller “%(seller)s”.",
    "no_body": "This operation takes no body.",
    "unknown_parameter": "There is no parameter “%(name)s”.",
    "parameter_twice": "The parameter “%(name)s” is given twice.",
    "bad_cursor": "“after” is not what an answer gave as “next”.",
    "zero_byte": "A text holds the character NUL, which cannot be kept.",
}

# What is wrong with a field, by pydantic's names.
FIELDS = {
    "missing": "This field is missing.",
    "extra_forbidden": "There is no such field.",
    "string_type": "Write a text.",
    "string_too_long": "Write at most %(max_length)s characters.",
    "string_too_short": "Write at least %(min_length)s characters.",
    "bool_type": "Write true or false.",
    "int_type": "Write a whole number.",
    "int_parsing": "Write a whole number.",
    "greater_than_equal": "Write %(ge)s or more.",
    "less_than_equal": "Write %(le)s or less.",
    "literal_error": "Write one of: %(expected)s.",
    "list_type": "Write a list.",
    "dict_type": "Write an object.",
    "model_type": "Write an object.",
    "model_attributes_type": "Write an object.",
    "too_long": "At most %(max_length)s entries.",
    "too_short": "At least %(min_length)s entries.",
    "number": "Write a decimal number as a text or a number: at most 20 digits before the point and 12 after it.",
    "day": "Write a day between 1900-01-01 and 2199-12-31 as in 2026-01-31.",
    "moment": "Write a moment with its offset as in 2026-01-31T12:00:00+01:00, or a day.",
    "key": "A key has no “/”, no control characters and no blanks at its ends.",
    "one_of": "Give exactly one of: %(names)s.",
    "text": "A text has no control characters.",
}


class Fault(Exception):
    """What this door refuses, by one of its `TEXTS`; `code` is the problem's code where it differs."""

    def __init__(
        self, text: str, *, code: str = "", headers: Mapping[str, str] | None = None, **values: object
    ) -> None:
        super().__init__(text)
        self.text, self.code, self.values = text, code or text, values
        self.headers = dict(headers or {})


def language_of(request: HttpRequest) -> str:
    """The first of our languages that the request accepts; English else."""
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500].lower()):
        if wanted.split("-")[0] in LANGUAGES:
            return str(wanted.split("-")[0])
    return "en"


def problem(
    request: HttpRequest,
    code: str,
    detail: str,
    *,
    errors: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer to a request that was refused."""
    status = STATUS[code]
    body = {
        "type": f"/api/v1/docs#problem-{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": list(errors),
    }
    answer = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA)
    answer.headers["Content-Language"] = language_of(request)
    answer.headers["Vary"] = "Accept-Language"
    answer.headers["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """A refusal of the rules."""
    code = error.code if error.code in STATUS else "invalid"
    detail = text_of(error, language_of(request))
    field = error.values.get("field")
    errors = [{"field": f"body.{field}", "code": code, "detail": detail}] if field else []
    return problem(request, code, detail, errors=errors)


def faulty(request: HttpRequest, fault: Fault) -> HttpResponse:
    """A refusal of this door."""
    detail = translate(TEXTS[fault.text], fault.values, language_of(request))
    return problem(request, fault.code, detail, headers=fault.headers)


def unfit(request: HttpRequest, errors: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """A body, query or path whose fields do not fit; each with its place as in `body.lines.0.price`."""
    language = language_of(request)
    found = []
    for error in errors:
        source, *place = error["loc"]
        if source == "body":
            place = place[1:]  # the body's own name in the code
        text = FIELDS.get(error["type"])
        detail = translate(text, error.get("ctx", {}), language) if text else str(error["msg"])
        found.append(
            {"field": ".".join(str(part) for part in (source, *place)), "code": error["type"], "detail": detail}
        )
    detail = translate(TEXTS["fields"], {"count": len(found)}, language)
    return problem(request, "invalid", detail, errors=found)
