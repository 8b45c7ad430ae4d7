"""Every link and every form that a page shows leads somewhere: followed as every role, from page to page."""

from collections.abc import Callable

import pytest
from django.test import Client

from taktura.accounts.permissions import ROLES
from taktura.catalog.services import declare_article
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from tests.pages.conftest import JANUARY
from tests.pages.walk import Walk


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_is_shown_is_open_to_it(company: Seller, client_as: Callable[..., Client], role: str) -> None:
    declare_article(Actor("test", JANUARY), seller=company, key="base", title="Grundgebühr")  # the log tells of it
    walk = Walk(client_as(role))
    walk.begin(role)
    assert len(walk.seen) > 20
    walk.send()
    assert walk.closed == [], "\n".join(walk.closed)
