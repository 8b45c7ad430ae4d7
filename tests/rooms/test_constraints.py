"""The database itself refuses nonsense: each constraint is tried by a row that differs from a good one in just that.

Rows are copies of rows that the services wrote, put in by SQL as the application's login, past all services.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import DatabaseError
from psycopg import errors

from taktura.core.errors import Refused
from taktura.kit.fields import ExactField
from tests.rooms import billing_constraints, levels_constraints
from tests.rooms.desk_rows import work_at_the_desk

USAGE_FILE = """id,customer_id,subscription_id,product_id,quantity,period_start,cost_amount
r1,K1,S1,P1,3,2026-01-10,1.00
r2,K1,S9,P9,3,2026-01-11,1.00
r3,K1,S1,P1,many,2026-01-12,1.00
"""
WORLD = """
scenario: a row in every table
tariffs:
  talk:
    interval: 1 month
    module: telephone
    offer_number: T-1
    lines:
      base: {price: 10.00}
      calls: {charge: usage, price: 1.00, key: sun-calls, included: 1}
      talk: {charge: usage, unit: minute, flat_price: true, price: 5.00, reference_price: 0.10}
coupons: {SAVE: {percent: 10, periods: 3}}
customers: {acme: {name: Acme GmbH, hourly_rate: 90.00}, poor: {name: Poor GmbH, billing_information: false}}
suppliers: {sun: {create_customers: true, create_subscriptions: true}}
product_references: [{supplier: sun, product: P1, article: calls}]
contracts:
  C1: {customer: acme, tariff: talk, start: 2026-01-01}
  C2: {customer: poor, tariff: talk, start: 2026-01-01}
timeline:
  - {on: 2026-01-05, usage: {contract: C1, article: calls, quantity: 5, id: a}}
  - {on: 2026-01-05, usage: {contract: C1, article: talk, duration: 60}}
  - {on: 2026-01-06, usage: {contract: C1, article: calls, quantity: 7, id: a, revision: 2}}
  - {on: 2026-01-07, link: {supplier: sun, subscription: S1, contract: C1, article: calls}}
  - {on: 2026-01-13, import_usage: {supplier: sun, file: usage.csv}}
  - {on: 2026-01-13, link_customer: {supplier: sun, reference: K1, customer: acme}}
  - {on: 2026-01-13, change_conditions: {contract: C1, article: base, from: 2026-02-01, price: 9, minimum_quantity: 1}}
  - {on: 2026-01-14, pause: {contract: C1, from: 2026-03-10, until: 2026-03-20}}
  - {on: 2026-01-15, sales_item: {customer: acme, lines: [{title: Headset, quantity: 1, price: 20.00}]}}
  - {on: 2026-01-16, ticket: {customer: acme, subject: Printer, as: T1}}
  - {on: 2026-01-16, log_time: {ticket: T1, minutes: 40}}
  - {on: 2026-02-01, bill: {}}
  - {on: 2026-02-02, credit: {document: RE-2026-00001, lines: [{line: 1, net: 1.00}]}}
  - {on: 2026-02-03, pay: {document: RE-2026-00001, amount: 1.00}}
"""

Changes = dict[str, Any]

# What makes a copy of a good row a good row again. "$document" and "$line": a new document, a new line on it.
FRESH: dict[str, Changes] = {
    "audit_logentry": {"hash": "new"},
    "billing_billingrun": {},
    "billing_charge": {"document_id": "$document", "document_line_id": "$line"},
    "billing_billedtime": {"entry_id": "$entry"},
    **{f"billing_{name}": {} for name in ("runproblem", "salesitem", "salesitemline")},
    "billing_servicepricing": {"seller_id": "$seller"},
    "billing_servicesale": {"month": "2027-01-01"},
    "billing_timecharge": {"document_id": "$document", "document_line_id": "$line"},
    "billing_timedraw": {"entry_id": "$entry"},
    "catalog_article": {"key": "new"},
    "catalog_coupon": {"key": "new", "folded": "NEW"},
    "catalog_couponcode": {"folded": "NEW"},
    "catalog_key": {"key": "new"},
    "catalog_module": {"key": "new"},
    "catalog_offernumber": {"folded": "NEW"},
    "catalog_tariff": {"key": "new"},
    "catalog_tariffdraft": {"key": "new", "tariff_id": None},
    "catalog_tariffline": {"article_id": "$article", "key": "new"},
    "catalog_tariffversion": {},
    "contracts_contract": {"key": "new", "transferred_from_id": None},
    "contracts_contractcoupon": {"code_id": None},
    "contracts_contractline": {},
    "contracts_contractphase": {"start": "2027-01-01"},
    **{f"contracts_line{name}": {} for name in ("conditions", "quantity", "stretch")},
    "contracts_noticerequest": {},
    "contracts_order": {"token": "other", "secret": "other"},
    "contracts_pause": {"start": "2027-03-10", "end": "2027-03-20"},
    "contracts_phaseversion": {},
    "control_alert": {"start": "2027-01-01", "end": "2027-02-01"},
    "control_alertrecipients": {"seller_id": "$seller"},
    "control_flatline": {"months": 9},
    "control_flatmonth": {"month": "1999-01-01"},
    "control_flatperiod": {"start": "2027-01-01", "end": "2027-02-01"},
    "customers_billinginformation": {"customer_id": "$customer"},
    "customers_customer": {"key": "new"},
    "customers_portalaccess": {"customer_id": "$customer"},
    "customers_seller": {},
    "customers_vatcheck": {},
    "desk_activity": {"name": "new"},
    "desk_allowance": {},
    "desk_answertemplate": {"name": "new"},
    "desk_allowance_activities": {"allowance_id": "$allowance"},
    "desk_desksettings": {"seller_id": "$seller"},
    "desk_queue": {"name": "new"},
    "desk_runningtime": {"user_id": "$user"},
    "desk_ticket": {"number": 99, "status": "closed"},
    "desk_ticketattachment": {},
    "desk_ticketmessage": {},
    "desk_timeentry": {},
    "invoices_contractbalance": {"contract_id": "$contract"},
    "invoices_document": {"number": "new", "issued_in": "$now"},
    "invoices_documentline": {"document_id": "$document", "position": 99},
    "invoices_documentreference": {"document_id": "$document"},
    "invoices_documentstate": {"document_id": "$document"},
    "invoices_documenttax": {"document_id": "$document"},
    "invoices_numbercounter": {"year": 1999},
    "invoices_numberseries": {"seller_id": "$seller"},
    "invoices_payment": {},
    "mailbox_mailbox": {"folder": "new"},
    "mailbox_incomingmail": {"uid": 99, "identity": "new"},
    "usage_exchangerate": {"day": "1999-01-01"},
    "usage_fileproblem": {},
    "usage_mappingversion": {"number": 99},
    "usage_productreference": {"folded": "new"},
    "usage_referencechange": {},
    "usage_subscriptionlink": {"subscription_id": "$subscription"},
    "usage_supplier": {"key": "new", "folder": "new"},
    "usage_suppliercustomer": {"folded": "new"},
    "usage_supplierinvoice": {"folded": "new"},
    "usage_suppliersubscription": {"folded": "new"},
    "usage_usageexception": {},
    "usage_usagefile": {"sha256": "new"},
    "usage_usageday": {"day": "1999-01-01"},
    "usage_usagehistory": {},
    "usage_usagemark": {"contract_id": "$contract"},
    "usage_watchedfile": {"name": "new"},
    "usage_formerid": {"external_id": "new"},
    "usage_supplierproduct": {"folded": "new"},
    "usage_refusedfile": {},
    "usage_usagerecord": {"external_id": "new"},
}
KEYS = {
    "control_alertrecipients": "seller_id",
    "usage_usagemark": "contract_id",
    "invoices_contractbalance": "contract_id",
    "invoices_documentstate": "document_id",
}  # tables whose rows are known by another's id

# One attempt for each constraint, by its name: the table, and how the row differs from a good one.
ATTEMPTS: dict[str, tuple[str, Changes]] = {
    # unique
    "audit_logentry_hash_key": ("audit_logentry", {"hash": "$same"}),
    "billing_charge_document_line_id_key": ("billing_charge", {"document_line_id": "$same"}),
    "billing_billedtime_entry_id_key": ("billing_billedtime", {"entry_id": "$same"}),
    "billing_timecharge_document_line_id_key": ("billing_timecharge", {"document_line_id": "$same"}),
    "billing_servicepricing_seller_id_key": ("billing_servicepricing", {"seller_id": "$same"}),
    "service_sale_once": ("billing_servicesale", {"month": "$same"}),
    "time_draw_once": ("billing_timedraw", {"entry_id": "$same"}),
    "article_key": ("catalog_article", {"key": "$same"}),
    "coupon_key": ("catalog_coupon", {"key": "$same"}),
    "coupon_folded": ("catalog_coupon", {"folded": "$same"}),
    "coupon_code": ("catalog_couponcode", {"folded": "$same"}),
    "usage_key": ("catalog_key", {"key": "$same"}),
    "module_key": ("catalog_module", {"key": "$same"}),
    "catalog_offernumber_folded_key": ("catalog_offernumber", {"folded": "$same"}),
    "catalog_tariffdraft_tariff_id_key": ("catalog_tariffdraft", {"tariff_id": "$same"}),
    "tariff_draft_key": ("catalog_tariffdraft", {"key": "begun"}),
    "tariff_key": ("catalog_tariff", {"key": "$same"}),
    "tariff_order_approval": ("catalog_tariff", {"order_approval": "often"}),
    "tariff_line_article": ("catalog_tariffline", {"article_id": "$same"}),
    "tariff_line_key": ("catalog_tariffline", {"key": "sun-calls"}),
    "contract_key": ("contracts_contract", {"key": "$same"}),
    "contract_transferred_once": ("contracts_contract", {"transferred_from_id": "$same"}),
    "contracts_contractcoupon_code_id_key": ("contracts_contractcoupon", {"code_id": "$same"}),
    "phase_start": ("contracts_contractphase", {"start": "$same"}),
    "flat_line_once": ("control_flatline", {"months": "$same"}),
    "flat_month": ("control_flatmonth", {"month": "$same"}),
    "flat_period_once": ("control_flatperiod", {"start": "$same"}),
    "alert_once": ("control_alert", {"start": "$same"}),
    "customers_billinginformation_customer_id_key": ("customers_billinginformation", {"customer_id": "$same"}),
    "portal_access_once": ("customers_portalaccess", {"customer_id": "$same"}),
    "customer_key": ("customers_customer", {"key": "$same"}),
    "desk_allowance_activitie_allowance_id_activity_id_97eaa6a0_uniq": (
        "desk_allowance_activities",
        {"allowance_id": "$same"},
    ),  # fmt: skip
    "activity_name": ("desk_activity", {"name": "$same"}),
    "desk_desksettings_seller_id_key": ("desk_desksettings", {"seller_id": "$same"}),
    "answer_template_name": ("desk_answertemplate", {"name": "$same"}),
    "queue_name": ("desk_queue", {"name": "$same"}),
    "desk_runningtime_user_id_key": ("desk_runningtime", {"user_id": "$same"}),
    "ticket_number": ("desk_ticket", {"number": "$same"}),
    "document_number": ("invoices_document", {"number": "$same"}),
    "document_line_position": ("invoices_documentline", {"document_id": "$same", "position": "$same"}),
    "document_reference": ("invoices_documentreference", {"document_id": "$same"}),
    "document_tax_rate": ("invoices_documenttax", {"document_id": "$same"}),
    "counter_year": ("invoices_numbercounter", {"year": "$same"}),
    "series_kind": ("invoices_numberseries", {"seller_id": "$same"}),
    "mailbox_once": ("mailbox_mailbox", {"folder": "$same"}),
    "incoming_uid": ("mailbox_incomingmail", {"uid": "$same"}),
    "incoming_once": ("mailbox_incomingmail", {"identity": "$same"}),
    "product_reference": ("usage_productreference", {"folded": "$same"}),
    "subscription_link": ("usage_subscriptionlink", {"subscription_id": "$same"}),
    "supplier_key": ("usage_supplier", {"key": "$same"}),
    "supplier_folder": ("usage_supplier", {"folder": "$same"}),
    "watched_file": ("usage_watchedfile", {"name": "$same"}),
    "refused_file_origin": ("usage_refusedfile", {"origin": "fax"}),
    "refused_file_settled": ("usage_refusedfile", {"settled_by": "user:a@b.example"}),
    "supplier_customer_reference": ("usage_suppliercustomer", {"folded": "$same"}),
    "supplier_invoice_number": ("usage_supplierinvoice", {"folded": "$same"}),
    "supplier_subscription_reference": ("usage_suppliersubscription", {"folded": "$same"}),
    "mapping_version": ("usage_mappingversion", {"number": "$same"}),
    "supplier_product": ("usage_supplierproduct", {"folded": "$same"}),
    "usage_former_id": ("usage_formerid", {"external_id": "$same"}),
    "usage_file_content": ("usage_usagefile", {"sha256": "$same"}),
    "exchange_rate": ("usage_exchangerate", {"day": "$same"}),
    "usage_rate_above_zero": ("usage_exchangerate", {"rate": "0"}),
    "exchange_rate_of_two": ("usage_exchangerate", {"quote": "EUR"}),
    "usage_with_rate": ("usage_usagerecord", {"rate_day": "2026-01-05"}),
    "contract_conversion": ("contracts_contract", {"conversion": "year"}),
    "customers_seller_call_number_months_check": ("customers_seller", {"call_number_months": -1}),
    "customers_seller_rate_days_check": ("customers_seller", {"rate_days": -1}),
    "usage_day": ("usage_usageday", {"day": "$same"}),
    "usage_identity": ("usage_usagerecord", {"external_id": "$same"}),
    # exclusion
    "pauses_apart": ("contracts_pause", {"start": "2026-03-19", "end": "2026-03-21"}),
    # checks
    "charge_span": ("billing_charge", {"first": "2026-02-01", "end": "2026-02-01"}),
    "sales_line_discount": ("billing_salesitemline", {"discount": 100.01}),
    "service_sale_month": ("billing_servicesale", {"month": "2027-01-02"}),
    "service_sale_quantity": ("billing_servicesale", {"quantity": 0}),
    "service_sale_state": ("billing_servicesale", {"left_out": True}),
    "time_charge_amount": ("billing_timecharge", {"amount": -1}),
    "time_charge_span": ("billing_timecharge", {"first": "2026-02-01", "end": "2026-02-01"}),
    "time_draw_minutes": ("billing_timedraw", {"minutes": 0}),
    "allowance_kept": ("desk_allowance", {"kind": "block", "kept": True}),
    "allowance_kind": ("desk_allowance", {"kind": "yearly", "kept": False}),
    "allowance_minutes": ("desk_allowance", {"minutes": 0}),
    "allowance_span": ("desk_allowance", {"start": "2026-02-01", "end": "2026-02-01"}),
    "answer_template_language": ("desk_answertemplate", {"language": "xx"}),
    "ticket_channel": ("desk_ticket", {"channel": "pigeon"}),
    "ticket_merged_is_closed": ("desk_ticket", {"status": "open", "merged_into_id": "$ticket"}),
    "ticket_message_kind": ("desk_ticketmessage", {"kind": "shout"}),
    "ticket_priority": ("desk_ticket", {"priority": "extreme"}),
    "ticket_status": ("desk_ticket", {"status": "lost"}),
    "desk_runningtime_seconds_check": ("desk_runningtime", {"seconds": -1}),
    "timer_goes_on_later": ("desk_runningtime", {"since": "2020-01-01T00:00:00Z"}),
    "time_approved": ("desk_timeentry", {"status": "submitted"}),
    "time_billed_is_billable": ("desk_timeentry", {"billable": False}),
    "time_has_a_rate": ("desk_timeentry", {"rate": None}),
    "time_minutes": ("desk_timeentry", {"minutes": 0}),
    "time_status": ("desk_timeentry", {"status": "lost"}),
    "sales_line_positive": ("billing_salesitemline", {"quantity": 0}),
    "coupon_percent_or_amount": ("catalog_coupon", {"percent": 10, "amount": 5}),
    "coupon_days": ("catalog_coupon", {"first_day": "2026-03-02", "last_day": "2026-03-01"}),
    "coupon_most": ("catalog_coupon", {"most_uses": 0}),
    "coupon_uses": ("catalog_coupon", {"most_uses": 1, "uses": 2}),
    "coupon_code_once": ("catalog_couponcode", {"used_at": "2026-03-01", "revoked_at": "2026-03-01"}),
    "tariff_line_booking": ("catalog_tariffline", {"booking": "maybe"}),
    "tariff_line_charge": ("catalog_tariffline", {"charge": "often"}),
    "version_applies_to": ("catalog_tariffversion", {"applies_to": "old"}),
    "version_cap": ("catalog_tariffversion", {"cost_cap": -0.01}),
    "version_min": ("catalog_tariffversion", {"minimum_sales": -0.01}),
    "flat_period_days": ("control_flatperiod", {"start": "2027-01-01", "end": "2027-01-01"}),
    "alert_kind": ("control_alert", {"kind": "tariff"}),
    "alert_state": ("control_alert", {"state": "gone"}),
    "alert_days": ("control_alert", {"start": "2027-01-01", "end": "2027-01-01"}),
    "alert_line": ("control_alert", {"kind": "cap"}),
    "offer_number_most": ("catalog_offernumber", {"most_uses": 0}),
    "offer_number_uses": ("catalog_offernumber", {"most_uses": 1, "uses": 2}),
    "contract_end": ("contracts_contract", {"end": "2025-12-31"}),
    "line_discount": ("contracts_contractline", {"discount": -0.01}),
    "line_end": ("contracts_contractline", {"end": "2025-12-31"}),
    "line_conditions_discount": ("contracts_lineconditions", {"discount": -0.01}),
    "line_conditions_price": ("contracts_lineconditions", {"price": -0.000000000001}),
    "line_conditions_minimum": ("contracts_lineconditions", {"minimum_quantity": -0.000000000001}),
    "quantity_not_negative": ("contracts_linequantity", {"quantity": -0.000000000001}),
    "notice_request_kind": ("contracts_noticerequest", {"kind": "rude"}),
    "notice_request_state": ("contracts_noticerequest", {"state": "lost"}),
    "notice_request_contract": ("contracts_noticerequest", {"state": "given", "contract_id": None}),
    "contracts_order_token_key": ("contracts_order", {"token": "$same"}),
    "contracts_order_secret_key": ("contracts_order", {"secret": "$same"}),
    "order_kind": ("contracts_order", {"kind": "friend"}),
    "order_state": ("contracts_order", {"state": "lost", "confirmed_at": "2026-01-01T00:00Z"}),
    "order_contract": ("contracts_order", {"state": "done", "confirmed_at": "2026-01-01T00:00Z"}),
    "order_confirmed": ("contracts_order", {"state": "open"}),
    "mailbox_security": ("mailbox_mailbox", {"security": "some"}),
    "mailbox_port": ("mailbox_mailbox", {"port": 65536}),
    "mailbox_archive": ("mailbox_mailbox", {"archive": "new"}),
    "desk_ticketattachment_size_check": ("desk_ticketattachment", {"size": -1}),
    "mailbox_strangers": ("mailbox_mailbox", {"strangers": "welcome"}),
    "incoming_state": ("mailbox_incomingmail", {"state": "lost"}),
    "incoming_content": ("mailbox_incomingmail", {"content": "\\x61"}),
    "pause_end": ("contracts_pause", {"start": "2027-03-10", "end": "2027-03-09"}),
    "customer_documents": ("customers_customer", {"documents_per": "line"}),
    "customer_kind": ("customers_customer", {"kind": "friend"}),
    "customer_step": ("customers_customer", {"round_up_minutes": 0}),
    "portal_access_role": ("customers_portalaccess", {"role": "owner", "customer_id": "$customer"}),
    "vat_check_state": ("customers_vatcheck", {"state": "perhaps"}),
    "seller_documents": ("customers_seller", {"change_documents": "none"}),
    "seller_prices_are": ("customers_seller", {"prices_are": "high"}),
    "seller_rate_change": ("customers_seller", {"rate_change": "start"}),
    "seller_scale": ("customers_seller", {"coupon_and_scale": "none"}),
    "seller_stacking": ("customers_seller", {"stacking": "worst"}),
    "document_gross": ("invoices_document", {"net": 100, "tax": 19, "gross": 120}),
    "document_kind": ("invoices_document", {"kind": "reminder"}),
    "document_not_negative": ("invoices_document", {"net": -100, "tax": -19, "gross": -119}),
    "counter_ahead": ("invoices_numbercounter", {"next": 7, "used": 7}),
    "state_payment": ("invoices_documentstate", {"payment": "maybe"}),
    "payment_not_zero": ("invoices_payment", {"amount": 0}),
    "subscription_link_days": ("usage_subscriptionlink", {"first": "2026-01-05", "end": "2026-01-05"}),
    "reference_change_kind": ("usage_referencechange", {"kind": "other"}),
    "usage_days": ("usage_usagerecord", {"day": "2026-01-05", "end_day": "2026-01-05"}),
    "supplier_invoice_days": ("usage_supplierinvoice", {"first": "2026-03-01", "end": "2026-03-01"}),
    "supplier_invoice_file": ("usage_supplierinvoice", {"file_name": "a.pdf"}),
    "usage_seconds": ("usage_usagerecord", {"seconds": -1}),
    "version_tolerance": ("catalog_tariffversion", {"tolerance": -1}),
    "phase_end": ("contracts_contractphase", {"start": "2027-01-01", "end": "2026-12-31"}),
    "coupon_end": ("contracts_contractcoupon", {"first": "2026-03-01", "end": "2026-02-01"}),
    "usage_exception_days": ("usage_usageexception", {"first": "2026-03-01", "end": "2026-03-01"}),
    "seller_consumer_rules": ("customers_seller", {"consumer_rules": "maybe"}),
    "document_prices_are": ("invoices_document", {"prices_are": "maybe"}),
    # whole numbers that are not below 0
    "billing_billingrun_contracts_check": ("billing_billingrun", {"contracts": -1}),
    "billing_billingrun_documents_check": ("billing_billingrun", {"documents": -1}),
    "billing_charge_rate_day_check": ("billing_charge", {"rate_day": -1}),
    "billing_charge_rate_spans_check": ("billing_charge", {"rate_spans": -1}),
    "billing_billedtime_minutes_check": ("billing_billedtime", {"minutes": -1}),
    "billing_timecharge_minutes_check": ("billing_timecharge", {"minutes": -1}),
    "billing_timedraw_minutes_check": ("billing_timedraw", {"minutes": -1}),
    "desk_timeentry_minutes_check": ("desk_timeentry", {"minutes": -1}),
    "desk_timeentry_step_check": ("desk_timeentry", {"step": -1}),
    "billing_timedraw_month_check": ("billing_timedraw", {"month": -1}),
    "desk_ticket_number_check": ("desk_ticket", {"number": -1}),
    "billing_salesitemline_position_check": ("billing_salesitemline", {"position": -1}),
    "catalog_coupon_periods_check": ("catalog_coupon", {"periods": -1}),
    "catalog_coupon_most_uses_check": ("catalog_coupon", {"most_uses": -1}),
    "catalog_coupon_uses_check": ("catalog_coupon", {"uses": -1}),
    "catalog_module_position_check": ("catalog_module", {"position": -1}),
    "catalog_offernumber_most_uses_check": ("catalog_offernumber", {"most_uses": -1}),
    "catalog_offernumber_uses_check": ("catalog_offernumber", {"uses": -1}),
    "catalog_tariff_position_check": ("catalog_tariff", {"position": -1}),
    "catalog_tariffdraft_revision_check": ("catalog_tariffdraft", {"revision": -1}),
    "catalog_tariffline_position_check": ("catalog_tariffline", {"position": -1}),
    "contracts_contractphase_anchor_day_check": ("contracts_contractphase", {"anchor_day": -1}),
    "control_flatline_above_check": ("control_flatline", {"above": -1}),
    "control_flatline_months_check": ("control_flatline", {"months": -1}),
    "control_flatline_periods_check": ("control_flatline", {"periods": -1}),
    "control_alert_begun_check": ("control_alert", {"begun": -1}),
    "control_alert_days_check": ("control_alert", {"days": -1}),
    "customers_billinginformation_payment_days_check": ("customers_billinginformation", {"payment_days": -1}),
    "customers_seller_payment_days_check": ("customers_seller", {"payment_days": -1}),
    "invoices_document_digits_check": ("invoices_document", {"digits": -1}),
    "invoices_documentline_position_check": ("invoices_documentline", {"position": -1}),
    "invoices_numbercounter_year_check": ("invoices_numbercounter", {"year": -1}),
    "mailbox_mailbox_port_check": ("mailbox_mailbox", {"port": -1}),
    "mailbox_mailbox_failures_check": ("mailbox_mailbox", {"failures": -1}),
    "mailbox_incomingmail_size_check": ("mailbox_incomingmail", {"size": -1}),
    "mailbox_incomingmail_attempts_check": ("mailbox_incomingmail", {"attempts": -1}),
    "usage_fileproblem_line_check": ("usage_fileproblem", {"line": -1}),
    "usage_usagefile_conflicts_check": ("usage_usagefile", {"conflicts": -1}),
    "usage_usagefile_duplicates_check": ("usage_usagefile", {"duplicates": -1}),
    "usage_usagefile_recorded_check": ("usage_usagefile", {"recorded": -1}),
    "usage_usagefile_skipped_check": ("usage_usagefile", {"skipped": -1}),
    "usage_usagefile_merged_check": ("usage_usagefile", {"merged": -1}),
    "usage_mappingversion_number_check": ("usage_mappingversion", {"number": -1}),
    "usage_usagefile_rows_check": ("usage_usagefile", {"rows": -1}),
    "usage_usagefile_waiting_check": ("usage_usagefile", {"waiting": -1}),
    "usage_usagerecord_row_check": ("usage_usagerecord", {"row": -1}),
}
# By customer_step and allowance_minutes, which PostgreSQL looks at first.
IMPLIED = {"customers_customer_round_up_minutes_check", "desk_allowance_minutes_check"}

# More attempts at constraints that have several sides.
MORE = [
    ("sales_line_discount", {"discount": -0.01}),
    ("sales_line_positive", {"price": -0.01}),
    ("coupon_percent_or_amount", {"percent": 0}),
    ("coupon_percent_or_amount", {"percent": 100.01}),
    ("coupon_percent_or_amount", {"percent": None, "amount": -1}),
    ("coupon_percent_or_amount", {"percent": None, "amount": None}),
    ("line_discount", {"discount": 100.01}),
    ("line_conditions_discount", {"discount": 100.01}),
    ("supplier_invoice_file", {"content": "\\x00"}),
    ("supplier_invoice_file", {"content": "\\x00", "file_name": "a.pdf"}),
    ("pauses_apart", {"start": "2026-03-01", "end": None}),
    ("pauses_apart", {"start": "2026-03-12", "end": "2026-03-13"}),
    ("counter_ahead", {"next": 7, "used": 8}),
    ("customer_step", {"round_up_minutes": -1}),
]

# Exact numbers are numbers: no NaN, nothing infinite.
EXACT = {
    f"{model._meta.db_table}_{field.column}_check": (model._meta.db_table, {field.column: "NaN"})
    for model in apps.get_models()
    for field in model._meta.local_fields
    if isinstance(field, ExactField)
}
ATTEMPTS |= EXACT | levels_constraints.ATTEMPTS | billing_constraints.ATTEMPTS
FRESH |= levels_constraints.FRESH
MORE += [(name, {next(iter(changes)): "-Infinity"}) for name, (_, changes) in EXACT.items()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A database with a row in every table, written by the services. Each attempt is rolled back."""
    from taktura.billing import services as billing
    from taktura.billing.models import SalesItem, ServicePricing, ServiceSale
    from taktura.billing.services import mailboxes
    from taktura.catalog import coupons, drafts
    from taktura.catalog.models import Coupon, Tariff
    from taktura.cli.scenarios.load import load
    from taktura.cli.scenarios.run import run
    from taktura.contracts import services as contracts
    from taktura.contracts.models import Contract
    from taktura.control import services as control
    from taktura.core.exchange import Rate
    from taktura.customers import access
    from taktura.customers.models import Customer, Seller, VatCheck
    from taktura.kit.actor import Actor
    from taktura.kit.database import scratch_database
    from taktura.kit.mailbox.models import IncomingMail
    from taktura.usage import services as usage
    from taktura.usage.models import FormerId, Supplier, SupplierSubscription, WatchedFile

    folder = tmp_path_factory.mktemp("world")
    (folder / "world.yaml").write_text(WORLD)
    (folder / "usage.csv").write_text(USAGE_FILE)
    with scratch_database():
        result = run(load(folder / "world.yaml"))
        assert result.passed, (result.differences, result.error, result.not_yet)
        actor, seller = Actor("test", datetime(2026, 2, 4, tzinfo=UTC)), Seller.objects.get()
        usage.set_rates(actor, seller=seller, rates=[Rate("EUR", "USD", actor.now.date(), Decimal("1.08"))])
        usage.record_usage(actor, seller=seller, entries=[{"contract": "C1", "article": "calls", "quantity": "1"}])
        january = {"first": date(2026, 1, 1), "end": date(2026, 2, 1), "day": date(2026, 2, 1)}
        usage.enter_supplier_invoice(actor, supplier=Supplier.objects.get(), number="1", net=Decimal(1), **january)
        work_at_the_desk(actor, seller)
        ServicePricing.objects.create(seller=seller, tariff=Tariff.objects.get())
        ServiceSale.objects.create(
            customer=Customer.objects.get(key="acme"), subscription=SupplierSubscription.objects.first(),
            month=date(2026, 1, 1), quantity=Decimal(1), item=SalesItem.objects.get(),
        )  # fmt: skip
        drafts.draft_of(actor, tariff=Tariff.objects.get())
        (code,) = coupons.draw_codes(actor, coupon=Coupon.objects.get(), count=1)
        Contract.objects.filter(key="C1").update(transferred_from=Contract.objects.get(key="C2"))
        contracts.give_coupon(actor, contract=Contract.objects.get(key="C1"), code=code)
        drafts.begin_draft(actor, seller=seller, key="begun")
        access.invite(actor, customer=Customer.objects.get(key="acme"), email="a@acme.example", portal="http://x")
        billing.receive_notice(
            actor, seller=seller, name="Acme", number="C1", email="a@b.example", kind="ordinary", language="en"
        )
        Tariff.objects.update(public=True)
        Seller.objects.update(order_page=True)
        whose = {"name": "A", "street": "B", "postcode": "C", "city": "D", "country": "DE", "email": "a@b.example"}
        wish = billing.Wish(tariff=Tariff.objects.get(), **whose)
        seen = billing.mark_of(billing.shown_prices(billing.look_at(actor, wish=wish)))
        billing.place_order(actor, wish=wish, token="t", asker="", seen=seen, address="http://x/")
        VatCheck.objects.create(seller=seller, vat_id="ATU13585627", state="confirmed", asked_at=actor.now)
        box = mailboxes.create_mailbox(
            actor, seller=seller, supplier=Supplier.objects.get(), purpose="usage", host="imap.example", user="u",
            password="p", senders=["@sun.example"],
        )  # fmt: skip
        IncomingMail.objects.create(
            mailbox=box, validity=1, uid=1, identity="<1@sun.example>", size=1, state="taken", looked_at=actor.now
        )
        Supplier.objects.update(folder="sun")
        supplier = Supplier.objects.get()
        FormerId.objects.create(supplier=supplier, external_id="a", stored_as="b")
        WatchedFile.objects.create(supplier=supplier, name="a", size=1, changed=1, seen_at=actor.now)
        why = Refused("invalid", "No.")
        usage.note_refusal(actor, supplier=supplier, name="a.pdf", size=1, origin="folder", refused=why)
        control.set_alert_recipients(actor, seller=seller, addresses=["a@b.example"], roles=[])
        yield


def one(query: str, *values: Any) -> Any:
    """The first value that a query gives."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


def add_copy(table: str, changes: Changes) -> int:
    """Put in a copy of the table's first row with the changes; "$same" keeps the value. Gives the new id."""
    own = {k: placed(v) for k, v in changes.items() if v != "$same"}
    key = KEYS.get(table, "id")
    if key == "id":
        own["id"] = one("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT new.*"
            f" FROM (SELECT to_jsonb(t) AS row FROM {table} t ORDER BY {key} LIMIT 1) good,"
            f" jsonb_populate_record(NULL::{table}, good.row || %s::jsonb) new",
            [json.dumps(own)],
        )
        assert cursor.rowcount == 1, f"{table} has no row to copy"
    return int(own[key] or 0)


def placed(value: Any) -> Any:
    """A value with what "$…" stands for made first."""
    if value == "$now":
        return str(one("SELECT pg_current_xact_id()::text"))
    kinds = {
        "$document": ("invoices_document", FRESH["invoices_document"]),
        "$article": ("catalog_article", {"key": "other"}),
        "$customer": ("customers_customer", {"key": "other"}),
        "$contract": ("contracts_contract", {"key": "other", "transferred_from_id": None}),
        "$contractline": ("contracts_contractline", {}),
        "$seller": ("customers_seller", {}),
        "$allowance": ("desk_allowance", {}),
        "$entry": ("desk_timeentry", {}),
        "$ticket": ("desk_ticket", {"number": 98}),
        "$user": ("accounts_user", {"email": "other@b.example"}),
        "$subscription": ("usage_suppliersubscription", {"folded": "other"}),
    }
    if value == "$line":  # on a document of its own
        document = add_copy("invoices_document", {"number": "of a line", "issued_in": "$now"})
        return add_copy("invoices_documentline", {"document_id": document})
    if isinstance(value, str) and value in kinds:
        return add_copy(*kinds[value])
    return value


def refused(table: str, changes: Changes) -> psycopg.Error:
    """The error at a copy that is good but for the changes; foreign keys are looked at, at once."""
    try:
        with transaction.atomic():
            add_copy(table, FRESH[table] | changes)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except DatabaseError as error:
        assert isinstance(error.__cause__, psycopg.Error)
        return error.__cause__
    raise AssertionError(f"the database took it: {table} {changes}")


@pytest.mark.parametrize("table", FRESH)
def test_a_good_copy_is_taken(world: None, table: str) -> None:
    """So that what the other tests see is the doing of the one thing in which their rows differ."""
    with transaction.atomic():
        add_copy(table, FRESH[table])
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_constraint_refuses(world: None, name: str) -> None:
    error = refused(*ATTEMPTS[name])
    assert isinstance(error, errors.UniqueViolation | errors.CheckViolation | errors.ExclusionViolation)
    assert error.diag.constraint_name == name


@pytest.mark.parametrize(("name", "changes"), MORE)
def test_a_constraint_refuses_on_its_other_sides(world: None, name: str, changes: Changes) -> None:
    assert refused(ATTEMPTS[name][0], changes).diag.constraint_name == name


def test_nobody_chooses_the_transaction_that_issued_a_document(world: None) -> None:
    """Else a later transaction of that number could add lines to it."""
    assert isinstance(refused("invoices_document", {"issued_in": "999999999"}), errors.RestrictViolation)


@pytest.mark.parametrize("table", FRESH)
def test_a_foreign_key_points_at_something(world: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, attname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
            " WHERE contype = 'f' AND conrelid = %s::regclass",
            [table],
        )
        keys = {column: name for name, column in cursor.fetchall()}
    (model,) = (m for m in apps.get_models(include_auto_created=True) if m._meta.db_table == table)
    columns = {f.column for f in model._meta.local_fields if f.is_relation}
    keys = {column: f"{table}_{column}" for column in columns} | keys  # some are no keys of the database's kind
    for column, name in keys.items():
        error = refused(table, {column: -1})
        assert isinstance(error, errors.ForeignKeyViolation), column
        assert error.diag.constraint_name == name


@pytest.mark.parametrize("table", FRESH)
def test_nothing_that_is_needed_is_left_out(world: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull"
            " AND attname <> 'id' AND NOT attisdropped",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
    assert columns
    for column in columns:
        error = refused(table, {column: None})
        assert isinstance(error, errors.NotNullViolation), column
        assert error.diag.column_name == column


ROOMS_OF_FACTS = (
    "control_", "audit_", "customers_", "catalog_", "contracts_", "usage_", "desk_", "invoices_", "billing_",
    "mailbox_",
)  # fmt: skip


def test_no_constraint_and_no_table_is_forgotten(world: None) -> None:
    """In the rooms of facts; accounts, the outbox, jobs and webhooks have tests of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, t.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE contype IN ('u', 'c', 'x') AND connamespace = 'public'::regnamespace"
            " UNION SELECT c.relname, t.relname FROM pg_index i JOIN pg_class c ON c.oid = indexrelid"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE indisunique AND NOT indisprimary AND c.relnamespace = 'public'::regnamespace"
        )
        found = {name for name, table in cursor.fetchall() if table.startswith(ROOMS_OF_FACTS)}
        assert found == set(ATTEMPTS) | IMPLIED
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {name for (name,) in cursor.fetchall() if name.startswith(ROOMS_OF_FACTS)} == set(FRESH)


def test_pauses_may_touch(world: None) -> None:
    """Both ends are half-open, so that one pause may begin on the day on which another ends."""
    for changes in ({"start": "2026-03-20", "end": None}, {"start": "2026-03-01", "end": "2026-03-10"}):
        with transaction.atomic():
            add_copy("contracts_pause", changes)
            transaction.set_rollback(True)


def test_a_pause_of_another_contract_may_overlap(world: None) -> None:
    with transaction.atomic():
        other = add_copy("contracts_contract", {"key": "other", "transferred_from_id": None})
        add_copy("contracts_pause", {"contract_id": other})
        transaction.set_rollback(True)


def test_tariff_lines_without_a_key_do_not_clash(world: None) -> None:
    with transaction.atomic():
        add_copy("catalog_tariffline", {"article_id": "$article", "key": ""})
        transaction.set_rollback(True)
