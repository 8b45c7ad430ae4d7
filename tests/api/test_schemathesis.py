"""The whole API under made-up requests, right and wrong ones: no server error, no answer that is not documented.

By itself it plays a part of them; `TAKTURA_API_CASES=200 pytest tests/api/test_schemathesis.py` plays all, and more.
"""

import json
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.hypothesis import builder
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from taktura.accounts.models import ApiKey
from taktura.api import gate
from taktura.api.openapi import endpoints
from taktura.api.parsing import JSON
from taktura.api.reference import openapi_text
from taktura.api.v1.api import api
from taktura.customers.models import Seller
from taktura.kit.database import scratch_database
from taktura.kit.limits import Buckets
from tests.api.helpers import make_key
from tools import api_examples

CASES = int(os.environ.get("TAKTURA_API_CASES", "5"))
ONE_OF = 4 if CASES < 100 else 1  # of the systematic cases, of which there are thousands
# With a wrong one of these nothing else of a request is looked at; they have tests of their own.
LEFT_OUT = {"Taktura-Seller", "If-Match", "If-None-Match"}

django = get_wsgi_application()
number = count()


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The product, but for some headers that its document leaves out here."""
    if environ["PATH_INFO"] != "/api/v1/openapi.json":
        return django(environ, start_response)
    document = json.loads(openapi_text())
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [p for p in operation["parameters"] if p["name"] not in LEFT_OUT]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(document).encode()]


PACKED = {media for e in endpoints(api).values() for media in e.raw if media.startswith("application/")}
schemathesis.serializer.alias(sorted(PACKED - {JSON, "application/octet-stream"}), "application/octet-stream")
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, base_url="http://localhost/")


@pytest.fixture(scope="module")
def headers() -> Iterator[dict[str, str]]:
    """Those of a key that may do everything, on a database where the story of the examples has happened. They name the
    story's seller: requests make others."""
    patch = pytest.MonkeyPatch()
    with scratch_database():
        api_examples.play()
        patch.setattr(gate, "utc_now", lambda: api_examples.START)
        patch.setattr(gate, "buckets", lru_cache(lambda: Buckets(10**9, 10**9)))
        made = make_key()
        ApiKey.objects.filter(prefix=made[:10]).update(id=10**15)  # a number that no request revokes by chance
        first = Seller.objects.earliest("pk")
        yield {"Authorization": f"Bearer {made}", "Taktura-Seller": str(first.pk)}
    patch.undo()


load_all_checks()
OPERATIONS = {found.label: found for found in (result.ok() for result in schema.get_all_operations())}
FEEDBACK = FeedbackSources(constants_value_source=make_constants_value_source(schema))
UNMADE = (
    builder.UnsatisfiableExampleMark,
    builder.NonSerializableMark,
    builder.InvalidRegexMark,
    builder.InvalidHeadersExampleMark,
    builder.MissingPathParameters,
)


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def any_request(headers: dict[str, str], case: Any) -> None:
    if case.meta.phase.name.name == "COVERAGE" and next(number) % ONE_OF:
        return
    # That a request fits its schema does not mean that the rules allow it; and of usage each record has its verdict.
    left_out = [positive_data_acceptance]
    if case.operation.definition.raw["operationId"] == "record_usage":
        left_out.append(negative_data_rejection)
    case.call_and_validate(headers=headers, excluded_checks=left_out)


# `schema.parametrize` would make up the cases of all operations in each worker before the first test of any file.
@pytest.mark.parametrize("label", OPERATIONS)
def test_any_request(label: str, headers: dict[str, str]) -> None:
    cases = build_operation_test(
        config=schema.config, operation=OPERATIONS[label], test_func=any_request, given_kwargs={}, feedback=FEEDBACK
    )
    assert [mark.attr_name for mark in UNMADE if mark.is_set(cases)] == [], "no cases could be made up"
    cases(headers=headers)
