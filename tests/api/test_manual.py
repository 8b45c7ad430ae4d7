"""The examples of docs/api.md: each request is sent, and its answer is what stands below it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.api.helpers import Api

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"^```http\n([A-Z]+) (\S+)\n\n(.*?)^```\n+```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = {"name": "Acme GmbH", "street": "Street 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
TALK = {
    "tariff": "talk",
    "interval": "1 month",
    "lines": {
        "base": {"title": "Base fee", "charge": "recurring", "price": "19.00"},
        "number": {"title": "Telephone number", "charge": "recurring", "price": "4.50", "booking": "add_on"},
        "call": {"title": "Calls", "charge": "usage", "unit": "minute", "tick": "60/1", "price": "0.95"},
    },
}


def prepare(api: Api) -> None:
    """The company of the examples."""
    for kind in ("invoice", "credit_note"):
        body = {"kind": kind, "format": kind[0].upper() + "-{number:03}", "next": 1}
        assert api.post("/seller/confirm_numbering", body).status_code == 200
    assert api.post("/tariffs", TALK).status_code == 201
    assert api.post("/customers", {"customer": "K-1", "name": "Acme", "billing_information": ADDRESS}).data
    contract = {"contract": "C-1001", "customer": "K-1", "tariff": "talk", "start": "2026-01-01"}
    assert api.post("/contracts", contract | {"quantities": {"number": 2}}).status_code == 201


def differences(shown: Any, told: Any, place: str = "") -> list[str]:
    """Where an answer is not what is shown; what is not shown is not looked at, and `…` stands for anything."""
    if shown == "…":
        return []
    if isinstance(shown, dict) and isinstance(told, dict):
        missing = [f"{place}.{name} is not told" for name in shown if name not in told]
        return missing + [d for n in shown if n in told for d in differences(shown[n], told[n], f"{place}.{n}")]
    if isinstance(shown, list) and isinstance(told, list) and len(shown) == len(told):
        return [d for i, one in enumerate(shown) for d in differences(one, told[i], f"{place}.{i}")]
    return [] if shown == told else [f"{place}: {shown} is shown, {told} is told"]


def test_the_examples_are_true(api: Api) -> None:
    prepare(api)
    text = PAGE.read_text("utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("```http") > 4
    for method, path, body, shown in examples:
        answer = api.call(method, path, json.loads(body, parse_float=Decimal))
        assert answer.status_code < 300, answer.content
        assert differences(json.loads(shown), answer.data) == [], (method, path, answer.content.decode())
        assert json.loads(shown), "an example shows something"
