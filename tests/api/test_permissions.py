"""Every endpoint × every scope: which key may do what. One table, which a change of an endpoint's scope must change."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from taktura.accounts.permissions import CHANGES, PERMISSIONS, ROLES
from taktura.api.gate import ANY_KEY
from taktura.api.openapi import endpoints, examples_by_operation
from taktura.api.v1.api import api as the_api
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from tests.api.helpers import NOW, SELLER, Api, make_key, refusal

TABLE = {
    "": "who_am_i",
    "settings.view": "list_sellers get_seller get_numbering list_webhooks get_webhook list_deliveries get_delivery"
    " get_desk_mail get_mail_server list_mailboxes get_mailbox list_users get_user list_invitations list_keys get_key",
    "settings.change": "change_the_seller create_seller confirm_the_numbering close_a_period"
    " put_desk_mail put_mail_server delete_mail_server create_mailbox change_mailbox delete_mailbox try_mailbox"
    " add_activity change_activity create_queue change_queue set_service_levels",
    "customers.view": "list_customers get_customer list_portal_users get_portal_user get_onboarding",
    "customers.change": "create_customer change_customer set_billing_information bring_in_customers"
    " invite_portal_user change_portal_user switch_off_portal_user",
    "tariffs.view": "list_articles get_article list_tariffs get_tariff list_coupons get_coupon list_codes get_code"
    " list_usage_keys get_usage_key list_modules get_module list_offer_numbers get_offer_number get_price_list"
    " get_price_list_pdf"
    " list_tariff_drafts get_tariff_draft differences_of_a_draft differences_of_versions",
    "tariffs.change": (
        "declare_article define_tariff delete_tariff retire_tariff offer_tariff_again publish_a_version price_update"
        " define_coupon change_coupon switch_off_coupon switch_on_coupon draw_codes revoke_code revoke_free_codes"
        " create_usage_key change_usage_key delete_usage_key create_module change_module"
        " order_modules order_tariffs delete_module create_offer_number revoke_offer_number"
        " begin_tariff_draft change_tariff_draft catch_up_tariff_draft discard_tariff_draft publish_tariff_draft"
    ),
    "contracts.view": "list_contracts get_contract list_deadlines list_orders get_order list_included_hours"
    " get_included_hours get_hours_statement",
    "contracts.change": "sign book change_quantity take_back_quantity end_line give_notice withdraw_notice"
    " change_conditions take_over_contracts onboard_customers change_tariff transfer pause resume redeem"
    " allow_conversion extend_contract extend_contracts place_order approve_order refuse_order include_hours"
    " end_included_hours change_included_hours take_back_included_hours",
    "usage.view": "list_usage get_usage list_exceptions list_suppliers get_supplier list_supplier_customers"
    " list_subscriptions list_product_references list_files get_file list_problems list_refused_files"
    " list_reference_changes get_usage_history get_file_content get_reconciliation list_supplier_invoices"
    " get_supplier_invoice get_invoice_file list_exchange_rates get_exchange_rate list_matching get_matching",
    "usage.change": "record_usage withdraw_a_record correct_usage send_usage_to process_again create_supplier"
    " change_supplier link unlink link_customer unlink_customer set_product_reference remove_product_reference"
    " reprocess import_usage upload_file undo_import read_file stop_reading settle_refused_files foresee_usage"
    " link_many note_subscription start_matching stop_matching"
    " tie_usage_key untie_usage_key enter_supplier_invoice correct_supplier_invoice remove_supplier_invoice"
    " keep_invoice_file drop_invoice_file set_exchange_rates load_exchange_rates convert_again remove_exchange_rate",
    "desk.view": "list_time get_time list_activities get_activity list_tickets get_ticket get_ticket_file list_queues"
    " list_waiting_mails get_waiting_mail list_answer_templates get_answer_template fill_answer_template"
    " list_timers get_timer get_service_levels get_kept_service_levels report_hours report_unapproved_time",
    "desk.change": "give_waiting_mail throw_waiting_mail_away"
    " merge_ticket move_tickets create_answer_template change_answer_template delete_answer_template"
    " log_time correct_time remove_time open_ticket change_ticket answer_ticket"
    " start_timer pause_timer go_on_with_timer stop_timer drop_timer",
    "time.approve": "approve_time unapprove_time",
    "billing.view": "compare_what_if forecast forecast_of_all list_due list_runs get_run get_work list_work"
    " list_sales_items get_sales_item list_used_services get_service_pricing",
    "billing.run": "run_billing start_billing stop_work interim_bill",
    "sales.change": "create_sales_item move_a_sales_item sell_used_services leave_out_used_services"
    " take_up_used_services put_service_pricing",
    "documents.view": "list_documents get_document get_pdf get_einvoice explain_line list_payments list_mails"
    " get_letter get_left_to_credit",
    "documents.credit": "credit_document",
    "documents.send": "send_document send_document_again",
    "payments.change": "pay_document",
    "control.view": "list_alerts get_alert list_flat_prices list_flat_months report_waiting_time report_customers",
    "control.change": "ignore_alert reopen_alert",
    "webhooks.change": "create_webhook change_webhook delete_webhook switch_on_webhook switch_off_webhook"
    " rotate_webhook_secret send_test_event replay_delivery replay_failed_deliveries",
    "accounts.change": "change_user reset_second_factor invite_user withdraw_invitation",
    "keys.change": "create_key revoke_key",
    "jobs.view": "list_jobs get_job list_outbox get_mail list_incoming_mails get_incoming_mail",
    "jobs.retry": "retry_job cancel_job send_mail_again look_into_mailbox take_mail_again",
    "log.view": "list_log prove_log",
}
ENDPOINTS = endpoints(the_api)
QUESTIONS = {"compare_what_if"}  # sent with a body, and nothing is written


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, str]]:
    """A key of each single scope, on a database with a seller and nothing else."""
    with scratch_database():
        create_seller(Actor("test", NOW), **SELLER)
        yield {scope: make_key([scope]) for scope in PERMISSIONS}


def address_of(name: str) -> str:
    """Where an endpoint is called in the examples; no key of this test is revoked."""
    place = examples_by_operation()[name]["path"] | ({"key": "999999"} if name == "revoke_key" else {})
    return ENDPOINTS[name].path.replace("int:", "").format(**place)


def test_the_table() -> None:
    declared: dict[str, set[str]] = {}
    for name, endpoint in ENDPOINTS.items():
        declared.setdefault(endpoint.permission, set()).add(name)
    assert declared == {scope: set(names.split()) for scope, names in TABLE.items()}


@pytest.mark.parametrize("role", ROLES)
def test_each_endpoint_with_each_role(keys: dict[str, str], role: str) -> None:
    """A key that may do what a role may."""
    caller: Any = Api(make_key(ROLES[role]), None)  # type: ignore[arg-type]
    for name, endpoint in ENDPOINTS.items():
        address = address_of(name)
        status = caller.call(endpoint.method, address, b"{}" if endpoint.writes else None).status_code
        allowed = endpoint.permission == ANY_KEY or endpoint.permission in ROLES[role]
        assert (status != 403) == allowed, (name, status)


def test_what_changes_needs_a_scope_that_may_change() -> None:
    for endpoint in ENDPOINTS.values():
        changing = endpoint.permission in CHANGES
        assert changing == (endpoint.writes and endpoint.name not in QUESTIONS), endpoint.name


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_each_endpoint_with_each_scope(keys: dict[str, str], name: str) -> None:
    endpoint = ENDPOINTS[name]
    address = address_of(name)
    for scope, secret in keys.items():
        caller: Any = Api(secret, None)  # type: ignore[arg-type]
        answer = caller.call(endpoint.method, address, b"{}" if endpoint.writes else None)
        if endpoint.permission in (ANY_KEY, scope):
            assert answer.status_code not in (401, 403), (scope, answer.content)
        else:
            assert refusal(answer) == (403, "forbidden"), scope
    stranger: Any = Api("tk_wrong", None)  # type: ignore[arg-type]
    assert refusal(stranger.call(endpoint.method, address, json.dumps({}).encode())) == (401, "unauthorized")
