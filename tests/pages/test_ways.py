"""Every link and every form that a page shows leads somewhere: followed as every role, from page to page."""

import pytest

from taktura.accounts.permissions import ROLES
from tests.pages.conftest import sign_in
from tests.pages.walk import Walk, Walked


@pytest.mark.usefixtures("walked_made", "database")
@pytest.mark.parametrize("role", sorted({*ROLES} - {"admin"}))
def test_what_a_role_is_shown_is_open_to_it(role: str) -> None:
    walk = Walk(sign_in(role))
    walk.begin(role)
    _all_open(walk)


@pytest.mark.usefixtures("database")
def test_what_an_administrator_is_shown_is_open(walked: Walked) -> None:
    _all_open(walked.walk.again(sign_in()))


def _all_open(walk: Walk) -> None:
    assert len(walk.seen) > 20
    walk.send()
    assert walk.closed == [], "\n".join(walk.closed)
