"""The examples of the API: a story of requests, with what was answered: `python -m tools.api_examples`.

Plays the story on a database of its own and writes it with the answers to `taktura/api/examples.json`, from where
OpenAPI and the reference page have them. A test plays it again and compares.
"""

import json
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

PLACE = Path(__file__).resolve().parent.parent / "taktura" / "api" / "examples.json"
PREFIX = "tk_example"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SELLER: dict[str, Any] = {
    "name": "Klartext Büroservice GmbH", "street": "Lindenallee 1", "postcode": "10115", "city": "Berlin",
    "country": "DE", "email": "rechnung@klartext.example", "vat_id": "DE136695976", "currency": "EUR",
    "time_zone": "Europe/Berlin", "vat": [[None, "19"]],
}  # fmt: skip
ADDRESS = {"street": "Hauptstraße 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
TALK = {
    "tariff": "talk",
    "title": "Call answering",
    "module": "telephone",
    "interval": "1 month",
    "notice": "monthly",
    "public": True,
    "offer_number": "TALK-2026",
    "minimum_sales": "10.00",
    "lines": {
        "base": {"title": "Base fee", "charge": "recurring", "price": "19.00"},
        "number": {"title": "Telephone number", "charge": "recurring", "price": "4.50", "booking": "add_on"},
        "call": {
            "title": "Calls", "charge": "usage", "unit": "minute", "tick": "60/1", "price": "0.95", "included": "10",
            "in_minimum": True, "key": "pbx-call",
        },
        "cloud": {"title": "Cloud storage", "charge": "usage", "usage_pricing": "cost_plus", "markup": "15"},
    },
}  # fmt: skip
PLUS = {
    "tariff": "talk_plus",
    "title": "Call answering plus",
    "interval": "1 month",
    "notice": {"initial_term": "12 months", "renewal_term": "1 month", "notice": "1 month"},
    "lines": {
        "base": {"title": "Base fee", "charge": "recurring", "price": "39.00"},
        "number": {"title": "Telephone number", "charge": "recurring", "price": "3.50", "booking": "add_on"},
        "call": {
            "title": "Calls", "charge": "usage", "unit": "minute", "tier_mode": "graduated",
            "tiers": [{"up_to": "100", "price": "0.80"}, {"price": "0.60"}],
        },
    },
}  # fmt: skip
FLAT = {
    "tariff": "flat",
    "title": "All calls",
    "module": "telephone",
    "tolerance": "10",
    "lines": {
        "all_calls": {
            "title": "All calls", "charge": "usage", "unit": "minute", "flat_price": True, "price": "39.00",
            "reference_price": "0.12",
        },
    },
}  # fmt: skip
CSV = "Id,Account,Subscription,Product,Quantity,Day,Cost\nR-1,ACC-7,SUB-1,storage,120,2026-02-03,0.0042\n\
R-2,ACC-7,SUB-9,storage,80,2026-02-04,0.0042\nR-3,ACC-7,SUB-1,storage,many,2026-02-05,0.0042\n"
RATES = "from,to,day,rate\nEUR,USD,2026-02-04,1.0841\n"
MOVED = "contract,customer,tariff,start,billed_until,article,quantity\nM-1,K-1,talk,2025-01-01,2026-03-01,number,3\n\
M-2,K-9,talk,2025-01-01,,,\n"
BROUGHT = "customer,name,postcode,city,country,email\nK-7,Nord AB,11122,Stockholm,SE,faktura@nord.example\n\
K-1,,,,,\n"
MAPPING = {
    "id": "Id", "customer_id": "Account", "subscription_id": "Subscription", "product_id": "Product",
    "quantity": "Quantity", "period_start": "Day", "cost": "Cost",
}  # fmt: skip
RECORD = {"contract": "C-1001", "article": "call", "at": "2026-02-10T09:30:00+01:00"}
USERS = [("ines@klartext.example", "Ines Kramer", "admin"), ("tom@klartext.example", "Tom Adler", "sales")]
SECRET = "0" * 43  # of keys and invitations
WEBHOOK = {"webhook": "1"}
OFFER = "7KQD-M3XA-9TWE-4HNP-CF6G"
WELCOME, CODE = {"coupon": "WELCOME"}, "9TWE-4HNP-CF6G-7KQD"
WHSEC = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="  # drawn by nobody
C1, C2 = {"contract": "C-1001"}, {"contract": "C-1002"}
NIMBUS = {"supplier": "nimbus"}

# Operation, parts of the address, query, body; a fifth entry: how many hours have passed before.
STORY: list[tuple[Any, ...]] = [
    ("who_am_i", {}, {}, None),
    ("list_sellers", {}, {}, None),
    ("get_seller", {}, {}, None),
    ("change_the_seller", {}, {}, {"phone": "+49 30 1234567", "payment_days": 21}),
    ("confirm_the_numbering", {}, {}, {"kind": "invoice", "format": "RE-{year}-{number:05}", "next": 1}),
    ("confirm_the_numbering", {}, {}, {"kind": "credit_note", "format": "GS-{year}-{number:05}", "next": 1}),
    ("get_numbering", {}, {}, None),
    ("declare_article", {"article": "call"}, {}, {"number": "A-100", "title": "Calls", "unit": "minute"}),
    ("get_article", {"article": "call"}, {}, None),
    ("define_tariff", {}, {}, TALK),
    ("define_tariff", {}, {}, PLUS),
    ("define_tariff", {}, {}, {"tariff": "draft", "lines": {"base": {"charge": "recurring", "price": "1.00"}}}),
    ("retire_tariff", {"tariff": "draft"}, {}, None),
    ("offer_tariff_again", {"tariff": "draft"}, {}, None),
    ("delete_tariff", {"tariff": "draft"}, {}, None),
    ("list_articles", {}, {"limit": "2"}, None),
    ("list_tariffs", {}, {"public": "true"}, None),
    ("get_tariff", {"tariff": "talk"}, {}, None),
    ("list_usage_keys", {}, {}, None),
    ("create_usage_key", {}, {}, {"key": "pbx-fax", "title": "Fax", "titles": {"sv": "Fax"}, "source": "Telephones"}),
    ("get_usage_key", {"key": "pbx-fax"}, {}, None),
    ("change_usage_key", {"key": "pbx-fax"}, {}, {"flat_price": True}),
    ("tie_usage_key", {"key": "pbx-fax"}, {}, {"article": "call"}),
    ("untie_usage_key", {"key": "pbx-fax"}, {}, None),
    ("delete_usage_key", {"key": "pbx-fax"}, {}, None),
    ("create_module", {}, {}, {"module": "office", "title": "Virtual office", "titles": {"de": "Virtuelles Büro"}}),
    ("list_modules", {}, {}, None),
    ("order_modules", {}, {}, {"modules": ["office", "telephone"]}),
    ("get_module", {"module": "telephone"}, {}, None),
    ("change_module", {"module": "telephone"}, {}, {"title": "Telephone", "titles": {"de": "Telefon"}}),
    ("order_tariffs", {"module": "telephone"}, {}, {"tariffs": ["talk"]}),
    ("delete_module", {"module": "office"}, {}, None),
    ("create_offer_number", {"tariff": "talk_plus"}, {}, {"memo": "Acme", "last_day": "2026-12-31", "most_uses": 5}),
    ("list_offer_numbers", {"tariff": "talk_plus"}, {}, None),
    ("get_offer_number", {"tariff": "talk_plus", "number": OFFER}, {}, None),
    ("revoke_offer_number", {"tariff": "talk_plus", "number": OFFER}, {}, None),
    ("get_price_list", {"module": "telephone"}, {"language": "en", "prices": "gross", "on": "2026-03-01"}, None),
    ("get_price_list_pdf", {"module": "telephone"}, {"language": "de"}, None),
    ("define_coupon", {}, {}, {"coupon": "WELCOME", "percent": "20", "periods": 3, "lines": ["base"]}),
    ("list_coupons", {}, {}, None),
    ("get_coupon", WELCOME, {}, None),
    ("change_coupon", WELCOME, {}, {"title": "New customers", "last_day": "2026-12-31", "most_uses": 500}),
    ("switch_off_coupon", WELCOME, {}, None),
    ("switch_on_coupon", WELCOME, {}, None),
    ("draw_codes", WELCOME, {}, {"count": 1, "memo": "Fair in Hamburg"}),
    ("list_codes", WELCOME, {}, None),
    ("get_code", {**WELCOME, "code": CODE}, {}, None),
    ("revoke_code", {**WELCOME, "code": CODE}, {}, None),
    ("revoke_free_codes", WELCOME, {}, None),
    ("create_customer", {}, {}, {"customer": "K-1", "name": "Acme GmbH", "language": "de", "hourly_rate": "90.00"}),
    ("set_billing_information", {"customer": "K-1"}, {}, {"name": "Acme GmbH", **ADDRESS, "payment_days": 14}),
    ("change_customer", {"customer": "K-1"}, {}, {"round_up_minutes": 15}),
    ("create_customer", {}, {}, {"customer": "K-2", "name": "Björk AB", "language": "sv",
                                 "billing_information": {"name": "Björk AB", **ADDRESS}}),
    ("list_customers", {}, {"name": "acme"}, None),
    ("get_customer", {"customer": "K-1"}, {}, None),
    ("bring_in_customers", {}, {"preview": "true"}, BROUGHT),
    ("get_onboarding", {}, {}, None),
    ("sign", {}, {}, {**C1, "customer": "K-1", "tariff": "talk", "start": "2026-01-01", "quantities": {"number": 2},
                      "conditions": {"base": {"discount": "10", "reason": "first year"}}}),
    ("sign", {}, {}, {**C2, "customer": "K-2", "tariff": "talk", "start": "2026-02-01"}),
    ("take_over_contracts", {}, {"preview": "true"}, MOVED),
    ("list_contracts", {}, {"customer": "K-1", "status": "active"}, None),
    ("get_contract", C1, {}, None),
    ("forecast", C1, {"bills": "2"}, None),
    ("allow_conversion", C1, {"preview": "true"}, {"rule": "day"}),
    ("allow_conversion", C1, {}, {"rule": "day"}),
    ("set_exchange_rates", {}, {}, {"rates": [
        {"from": "EUR", "to": "USD", "day": "2026-02-03", "rate": "1.0823"},
        {"from": "EUR", "to": "SEK", "day": "2026-02-03", "rate": "11.2345"}]}),
    ("load_exchange_rates", {}, {}, RATES),
    ("list_exchange_rates", {}, {"currency": "USD"}, None),
    ("get_exchange_rate", {"rate": "1"}, {}, None),
    ("remove_exchange_rate", {"rate": "2"}, {}, None),
    ("redeem", C1, {}, {"coupon": "WELCOME"}),
    ("foresee_usage", C1, {}, {"article": "call", "duration": 7200}),
    ("record_usage", {}, {}, [
        {**RECORD, "id": "call-1", "duration": 61},
        {**RECORD, "id": "call-2", "duration": "7200"},
        {**RECORD, "id": "call-2", "duration": "7200"},
        {"key": "pbx-call", "contract": "C-9999", "id": "call-3", "duration": 60, "at": "2026-02-11"},
        {**RECORD, "id": "call-4", "quantity": "many"},
    ]),
    ("list_usage", {}, {"contract": "C-1001", "limit": "1"}, None),
    ("get_usage", {}, {"id": "call-1"}, None),
    ("list_exceptions", {}, {"reason": "no_contract"}, None),
    ("send_usage_to", {}, {}, {"records": [{"id": "call-3"}], "contract": "C-1002", "article": "call"}),
    ("correct_usage", {}, {"id": "call-1"}, {"seconds": 95}),
    ("get_usage_history", {}, {"id": "call-1"}, None),
    ("process_again", {}, {}, None),
    ("withdraw_a_record", {}, {}, {"id": "call-3"}),
    ("create_supplier", {}, {}, {**NIMBUS, "name": "Nimbus Cloud", "create_customers": True,
                                 "create_subscriptions": True, "mapping": MAPPING}),
    ("list_suppliers", {}, {}, None),
    ("get_supplier", NIMBUS, {}, None),
    ("change_supplier", NIMBUS, {}, {"name": "Nimbus Cloud AG"}),
    ("upload_file", NIMBUS, {"name": "february.csv", "preview": "true"}, CSV),
    ("upload_file", NIMBUS, {"name": "february.csv"}, CSV),
    ("list_files", NIMBUS, {}, None),
    ("get_file", {**NIMBUS, "file": "1"}, {}, None),
    ("get_file_content", {**NIMBUS, "file": "1"}, {}, None),
    ("enter_supplier_invoice", NIMBUS, {}, {"number": "N-2026-02", "day": "2026-03-01", "from": "2026-02-01",
                                            "until": "2026-02-28", "net": "0.90"}),
    ("list_supplier_invoices", NIMBUS, {}, None),
    ("get_supplier_invoice", {**NIMBUS, "invoice": "1"}, {}, None),
    ("correct_supplier_invoice", {**NIMBUS, "invoice": "1"}, {}, {"net": "0.84", "note": "without shipping"}),
    ("keep_invoice_file", {**NIMBUS, "invoice": "1"}, {"name": "N-2026-02.pdf"}, "%PDF-1.7\n"),
    ("get_invoice_file", {**NIMBUS, "invoice": "1"}, {}, None),
    ("get_reconciliation", NIMBUS, {"from": "2026-02-01", "until": "2026-02-28"}, None),
    ("drop_invoice_file", {**NIMBUS, "invoice": "1"}, {}, None),
    ("remove_supplier_invoice", {**NIMBUS, "invoice": "1"}, {}, None),
    ("list_problems", {**NIMBUS, "file": "1"}, {}, None),
    ("undo_import", {**NIMBUS, "file": "1"}, {}, None),
    ("upload_file", NIMBUS, {"name": "february.csv"}, CSV),
    ("list_supplier_customers", NIMBUS, {"linked": "false"}, None),
    ("link_customer", NIMBUS, {}, {"reference": "ACC-7", "customer": "K-1"}),
    ("onboard_customers", {}, {"preview": "true"}, {"contracts": [
        {"customer": "K-1", "tariff": "talk", "start": "2026-03-01", "lines": [
            {**NIMBUS, "subscription": "SUB-1", "article": "cloud", "quantity": "120"}]}]}),
    ("unlink_customer", NIMBUS, {}, {"reference": "ACC-7"}),
    ("list_subscriptions", NIMBUS, {"linked": "false"}, None),
    ("list_reference_changes", NIMBUS, {"kind": "subscription", "limit": "1"}, None),
    ("link", NIMBUS, {}, {"subscription": "SUB-1", **C2, "article": "cloud"}),
    ("unlink", NIMBUS, {}, {"subscription": "SUB-1", **C2, "article": "cloud"}),
    ("link", NIMBUS, {}, {"subscription": "SUB-1", **C1, "article": "cloud"}),
    ("unlink", NIMBUS, {}, {"subscription": "SUB-1", **C1, "article": "cloud"}),
    ("link_many", NIMBUS, {}, {"links": [{"subscription": "SUB-1", **C1, "article": "cloud"}]}),
    ("set_product_reference", NIMBUS, {}, {"product": "storage", "article": "cloud"}),
    ("set_product_reference", NIMBUS, {}, {"product": "licence", "article": "base"}),
    ("list_product_references", NIMBUS, {}, None),
    ("remove_product_reference", NIMBUS, {"product": "licence"}, None),
    ("extend_contracts", NIMBUS, {"preview": "true"}, {"extensions": [{"subscription": "SUB-9", **C2}]}),
    ("extend_contracts", NIMBUS, {}, {"extensions": [{"subscription": "SUB-9", **C2}]}),
    ("unlink", NIMBUS, {}, {"subscription": "SUB-9", **C2, "article": "cloud"}),
    ("extend_contract", NIMBUS, {"preview": "true"}, {"subscription": "SUB-9", **C2}),
    ("extend_contract", NIMBUS, {}, {"subscription": "SUB-9", **C2}),
    ("note_subscription", NIMBUS, {}, {"subscription": "SUB-9"}),
    ("reprocess", NIMBUS, {}, None),
    ("import_usage", NIMBUS, {}, {"rows": [{"Id": "R-4", "Account": "ACC-7", "Subscription": "SUB-1",
                                            "Product": "storage", "Quantity": "10", "Day": "2026-02-06",
                                            "Cost": "0.0042"}]}),
    ("convert_again", {}, {}, {"source": "USD", "target": "EUR", "first": "2026-02-01", "last": "2026-02-28"}),
    ("create_sales_item", {}, {}, {"customer": "K-1", "as": "setup", "lines": [
        {"title": "Setting up", "quantity": 1, "price": "150.00", "discount": "10"}]}),
    ("list_sales_items", {}, {"pending": "true"}, None),
    ("get_sales_item", {"item": "1"}, {}, None),
    ("create_sales_item", {}, {}, {"customer": "K-1", "lines": [{"title": "Training", "price": "80.00"}]}),
    ("move_a_sales_item", {"item": "2"}, {}, {"customer": "K-2"}),
    ("add_activity", {}, {}, {"name": "On site"}),
    ("change_activity", {"activity": "1"}, {}, {"name": "On site, with travel"}),
    ("get_activity", {"activity": "1"}, {}, None),
    ("list_activities", {}, {}, None),
    ("log_time", {}, {}, {"customer": "K-1", "minutes": 21, "activity": 1, "note": "Router replaced"}),
    ("log_time", {}, {}, {"customer": "K-1", "minutes": 7, "worked_on": "2026-03-01", "billable": False}),
    ("correct_time", {"time": "2"}, {}, {"minutes": 8, "note": "Called back"}),
    ("list_time", {}, {"status": "submitted", "customer": "K-1"}, None),
    ("get_time", {"time": "1"}, {}, None),
    ("approve_time", {}, {"preview": "true"}, {"time": [1]}),
    ("approve_time", {}, {}, {"time": [1, 2]}),
    ("unapprove_time", {}, {}, {"time": [2]}),
    ("remove_time", {"time": "2"}, {}, None),
    ("list_due", {}, {"on": "2026-03-02"}, None),
    ("run_billing", {}, {"preview": "true"}, {"on": "2026-03-02", "contract": "C-1001"}),
    ("run_billing", {}, {}, {"on": "2026-03-02"}),
    ("list_runs", {}, {}, None),
    ("start_billing", {}, {}, {"on": "2026-03-02", "exclude": ["C-1002"]}),
    ("list_work", {}, {}, None),
    ("get_work", {"work": "1"}, {}, None),
    ("stop_work", {"work": "1"}, {}, None),
    ("get_run", {"run": "1"}, {}, None),
    ("forecast", C1, {}, None),
    ("forecast_of_all", {}, {"from": "2026-03-02", "until": "2026-04-30"}, None),
    ("compare_what_if", {}, {}, {"first_month": "2026-01", "last_month": "2026-02", "tariff": "talk",
                                  "against": "talk_plus"}),
    ("compare_what_if", {}, {}, {"first_month": "2026-01", "last_month": "2026-02", "customers": ["K-1"], "lines": True,
                                 "draft": {"title": "Per call", "lines": {
                                     "base": {"charge": "recurring", "price": "9.00"},
                                     "call": {"charge": "usage", "price": "0.90"}}}}),
    ("list_documents", {}, {"customer": "K-1", "order": "newest_first"}, None),
    ("get_document", {"document": "1"}, {}, None),
    ("get_pdf", {"document": "1"}, {}, None),
    ("get_letter", {"document": "1"}, {}, None),
    ("send_document", {"document": "1"}, {}, {"to": "rechnung@acme.example"}),
    ("list_mails", {"document": "1"}, {}, None),
    ("send_document_again", {"document": "1", "mail": "1"}, {}, None),
    ("get_left_to_credit", {"document": "1"}, {}, None),
    ("explain_line", {"document": "1", "line": "6"}, {}, None),
    ("pay_document", {"document": "1"}, {}, {"amount": "100.00", "on": "2026-03-02"}),
    ("list_payments", {"document": "1"}, {}, None),
    ("credit_document", {"document": "1"}, {"preview": "true"}, {"lines": [{"line": 1, "net": "5.00"}]}),
    ("credit_document", {"document": "1"}, {}, {"lines": [{"line": 1, "net": "5.00"}], "reason": "agreed by phone"}),
    ("change_quantity", C1, {"preview": "true"}, {"article": "number", "quantity": 3, "from": "2026-03-16"}),
    ("change_quantity", C1, {}, {"article": "number", "quantity": 3, "from": "2026-03-16", "memo": "new office"}),
    ("take_back_quantity", C1, {}, {"article": "number", "from": "2026-03-16", "memo": "not moved after all"}),
    ("book", C2, {}, {"article": "number", "quantity": 1, "from": "2026-03-10", "bill": "now", "as": "reception"}),
    ("end_line", C2, {}, {"article": "number", "line": "reception", "until": "2026-03-20"}, 24 * 9),
    ("pause", C2, {}, {"from": "2026-03-15", "until": "2026-03-25"}),
    ("resume", C2, {}, {"from": "2026-03-20"}),
    ("change_tariff", C1, {}, {"tariff": "talk_plus", "from": "2026-03-20", "keep": ["cloud"]}),
    ("transfer", C2, {"preview": "true"}, {"customer": "K-1", "from": "2026-04-01", "as": "C-2002"}),
    ("give_notice", C2, {"preview": "true"}, {}),
    ("give_notice", C2, {}, {"received": "2026-03-11"}),
    ("withdraw_notice", C2, {}, None),
    ("record_usage", {}, {}, {**RECORD, "at": "2026-03-05T10:00:00+01:00", "id": "call-9", "duration": 7200}),
    ("interim_bill", C1, {}, {"leave_out": ["sales_items"]}),
    ("list_deadlines", {}, {"within_days": "60"}, None),
    ("publish_a_version", {"tariff": "talk"}, {}, {
        "from": "2026-07-01", "applies_to": "all", "lines": {"call": {"price": "0.99"}}}),
    ("begin_tariff_draft", {}, {}, {"key": "talk_light", "copy_of": "talk"}),
    ("change_tariff_draft", {"draft": "1"}, {}, {"title": "Call answering light", "minimum_sales": "5.00"}),
    ("list_tariff_drafts", {}, {}, None),
    ("get_tariff_draft", {"draft": "1"}, {}, None),
    ("publish_tariff_draft", {"draft": "1"}, {}, {}),
    ("begin_tariff_draft", {}, {}, {"tariff": "talk"}),
    ("change_tariff_draft", {"draft": "2"}, {}, {"minimum_sales": "15.00"}),
    ("differences_of_a_draft", {"draft": "2"}, {}, None),
    ("catch_up_tariff_draft", {"draft": "2"}, {}, {"on": "2026-09-01"}),
    ("publish_tariff_draft", {"draft": "2"}, {}, {"from": "2026-09-01", "applies_to": "all"}),
    ("differences_of_versions", {"tariff": "talk"}, {"from_day": "2026-08-01", "to_day": "2026-09-01"}, None),
    ("begin_tariff_draft", {}, {}, {"key": "spare"}),
    ("discard_tariff_draft", {"draft": "3"}, {}, None),
    ("price_update", {"tariff": "talk_plus"}, {"preview": "true"}, {"from": "2026-07-01", "percent": "2.5"}),
    ("price_update", {"tariff": "talk_plus"}, {}, {"from": "2026-07-01", "percent": "2.5"}),
    ("close_a_period", {}, {}, {"until": "2026-02-01"}),
    ("create_webhook", {}, {}, {
        "url": "https://shop.example/taktura", "events": ["invoice.issued", "credit_note.issued"],
        "description": "Web shop"}),
    ("list_webhooks", {}, {}, None),
    ("get_webhook", WEBHOOK, {}, None),
    ("change_webhook", WEBHOOK, {}, {"events": []}),
    ("send_test_event", WEBHOOK, {}, None),
    ("list_deliveries", {}, {"state": "waiting"}, None),
    ("get_delivery", {"delivery": "1"}, {}, None),
    ("replay_delivery", {"delivery": "1"}, {}, None),
    ("replay_failed_deliveries", WEBHOOK, {}, {"since": "2026-03-10"}),
    ("rotate_webhook_secret", WEBHOOK, {}, None),
    ("switch_off_webhook", WEBHOOK, {}, None),
    ("switch_on_webhook", WEBHOOK, {}, {"catch_up": False}),
    ("delete_webhook", WEBHOOK, {}, None),
    ("put_mail_server", {}, {}, {"host": "smtp.klartext.example", "user": "taktura", "password": "a secret",
                                  "from_address": "rechnung@klartext.example", "from_name": "Klartext Büroservice"}),
    ("get_mail_server", {}, {}, None),
    ("delete_mail_server", {}, {}, None),
    ("list_outbox", {}, {"state": "waiting"}, None),
    ("get_mail", {"mail": "1"}, {}, None),
    ("send_mail_again", {"mail": "1"}, {}, None),
    ("create_mailbox", {}, {}, {"supplier": "nimbus", "host": "imap.klartext.example", "user": "verbrauch",
                                "password": "a secret", "senders": ["files@sun.example", "@moon.example"]}),
    ("list_mailboxes", {}, {}, None),
    ("get_mailbox", {"mailbox": "1"}, {}, None),
    ("change_mailbox", {"mailbox": "1"}, {}, {"folder": "INBOX/Sun", "not_before": "2026-03-01"}),
    ("try_mailbox", {"mailbox": "1"}, {}, None),
    ("look_into_mailbox", {"mailbox": "1"}, {}, None),
    ("list_incoming_mails", {}, {"state": "failed"}, None),
    ("get_incoming_mail", {"mail": "1"}, {}, None),
    ("take_mail_again", {"mail": "1"}, {}, None),
    ("delete_mailbox", {"mailbox": "1"}, {}, None),
    ("list_jobs", {}, {"state": "failed"}, None),
    ("get_job", {"job": "1"}, {}, None),
    ("retry_job", {"job": "1"}, {}, None),
    ("cancel_job", {"job": "1"}, {}, None),
    ("create_key", {}, {}, {"name": "Shop", "scopes": ["customers.change", "contracts.change"],
                            "expires_at": "2027-01-01"}),
    ("list_keys", {}, {}, None),
    ("get_key", {"key": "2"}, {}, None),
    ("revoke_key", {"key": "2"}, {}, None),
    ("invite_portal_user", {"customer": "K-1"}, {}, {"email": "einkauf@acme.example", "name": "Ina Falk"}),
    ("list_portal_users", {"customer": "K-1"}, {}, None),
    ("switch_off_portal_user", {"customer": "K-1", "user": "1"}, {}, None),
    ("invite_user", {}, {}, {"email": "anna@klartext.example", "role": "sales", "name": "Anna Berg", "language": "de"}),
    ("list_invitations", {}, {}, None),
    ("withdraw_invitation", {"invitation": "1"}, {}, None),
    ("list_users", {}, {"active": "true"}, None),
    ("get_user", {"user": "2"}, {}, None),
    ("change_user", {"user": "2"}, {}, {"role": "billing"}),
    ("reset_second_factor", {"user": "2"}, {}, None),
    ("define_tariff", {}, {}, FLAT),
    ("sign", {}, {}, {"contract": "C-1003", "customer": "K-2", "tariff": "flat", "start": "2026-03-01"}),
    ("record_usage", {}, {}, {"contract": "C-1003", "article": "all_calls", "duration": 28800, "id": "call-10",
                              "at": "2026-03-04T09:00:00+01:00"}),
    ("define_coupon", {}, {}, {"coupon": "START5", "amount": "5.00", "periods": 1}),
    ("place_order", {}, {"preview": "true"}, {"tariff": "talk", "quantities": {"number": 1}, "coupon": "START5"}),
    ("place_order", {}, {}, {"tariff": "talk", "quantities": {"number": 1}, "coupon": "START5", "confirmed": True,
                             "buyer": {"name": "Falk & Söhne KG", "language": "de", **ADDRESS,
                                       "email": "einkauf@falk.example"}}),
    ("place_order", {}, {}, {"offer_number": "TALK-2026", "confirmed": True, "buyer": {
        "name": "Ida Lund", "kind": "consumer", "language": "sv", **ADDRESS, "email": "ida@lund.example"}}),
    ("list_orders", {}, {"state": "open"}, None),
    ("get_order", {"order": "1"}, {}, None),
    ("approve_order", {"order": "1"}, {}, None),
    ("refuse_order", {"order": "2"}, {}, {"reason": "We do not deliver there."}),
    ("list_alerts", {}, {"state": "open"}, None),
    ("get_alert", {"alert": "1"}, {}, None),
    ("ignore_alert", {"alert": "1"}, {}, {"until": "2026-04-01"}),
    ("reopen_alert", {"alert": "1"}, {}, None),
    ("list_flat_prices", {}, {"tariff": "flat"}, None),
    ("list_flat_months", {}, {"customer": "K-2"}, None),
    ("create_queue", {}, {}, {"name": "First line"}),
    ("change_queue", {"queue": "1"}, {}, {"name": "Telephone"}),
    ("list_queues", {}, {}, None),
    ("open_ticket", {}, {}, {
        "customer": "K-1", "subject": "No dial tone", "text": "Since Monday we hear nothing.", "author": "Anna Falk",
        "queue": 1, "line": {"contract": "C-1001", "article": "number"}}),
    ("answer_ticket", {"ticket": "1001"}, {}, {"text": "We look at it.", "author": "Tom Adler"}),
    ("change_ticket", {"ticket": "1001"}, {}, {"priority": "high", "assignee": "tom@klartext.example"}),
    ("get_ticket", {"ticket": "1001"}, {}, None),
    ("list_tickets", {}, {"status": "waiting"}, None),
    ("list_log", {}, {"order": "newest_first", "limit": "2"}, None),
    ("prove_log", {}, {}, None),
    ("create_seller", {}, {}, {
        "name": "Klartext Kontorsservice AB", "country": "SE", "currency": "SEK", "time_zone": "Europe/Stockholm",
        "vat": [{"from": None, "rate": "25"}]}),
]  # fmt: skip


def play() -> list[dict[str, Any]]:
    """Play the story on the database that is connected; gives each step with its answer."""
    from django.test import Client

    from taktura.accounts.models import ApiKey
    from taktura.accounts.permissions import PERMISSIONS
    from taktura.accounts.services import create_key, create_user
    from taktura.api import gate
    from taktura.api.openapi import endpoints
    from taktura.api.v1.api import api
    from taktura.catalog import coupons, offer_numbers
    from taktura.customers.services import create_seller
    from taktura.kit.actor import Actor
    from taktura.kit.jobs import services as jobs
    from taktura.webhooks import services as webhooks

    actor, clock = Actor("example", START), [START]
    create_seller(actor, **SELLER)
    _, secret = create_key(actor, name="Telephone system", scopes=PERMISSIONS)
    ApiKey.objects.update(prefix=PREFIX)
    for email, name, role in USERS:
        create_user(actor, email=email, name=name, role=role)
    declared = endpoints(api)
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    steps = []
    with (
        mock.patch.object(gate, "utc_now", lambda: clock[0]),
        mock.patch.object(jobs, "utc_now", lambda: clock[0]),
        mock.patch.object(offer_numbers, "drawn", lambda: OFFER),
        mock.patch.object(coupons, "drawn", lambda: CODE),
        mock.patch.object(secrets, "token_urlsafe", lambda length: SECRET),
        mock.patch.object(webhooks, "new_secret", lambda: WHSEC),
        mock.patch.object(webhooks, "new_event_id", lambda: f"evt_{'0' * 31}1"),
    ):
        for name, path, query, body, *hours in STORY:
            clock[0] += timedelta(hours=sum(hours), seconds=0)
            _before(name, clock[0])
            known = declared[name]
            address = known.path.replace("int:", "").format(**path)
            content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
            answer = client.generic(
                known.method, f"/api/v1{address}", content, known.raw[0] if known.raw else "application/json",
                headers={"Authorization": f"Bearer {secret}"}, QUERY_STRING=_query(query),
            )  # fmt: skip
            steps.append(_step(name, path, query, body, answer))
    return steps


def _before(name: str, now: datetime) -> None:
    """What has happened by itself before a step: a mail or a job has failed, a worker has looked at usage."""
    from django.db import connections

    from taktura.control.services import watch
    from taktura.kit.actor import Actor
    from taktura.kit.jobs.models import JobFailure
    from taktura.kit.mail.models import OutgoingMail
    from taktura.kit.mailbox.models import IncomingMail

    if name == "list_incoming_mails":
        IncomingMail.objects.create(
            mailbox_id=1, validity=1, uid=7, identity="<7@sun.example>", sender="files@sun.example", sent_at=now,
            subject="Usage of February", size=20480, state="failed", stays=True, looked_at=now, attempts=5,
            said=[["It could not be handled: %(why)s", {"why": "TimeoutError: the disk does not answer"}]],
        )  # fmt: skip
    if name in ("send_document_again", "send_mail_again"):
        OutgoingMail.objects.filter(pk=1).update(state="failed", attempts=1, last_error="mailbox is full")
    if name == "list_alerts":
        watch(Actor("schedule", now))
    if name == "list_jobs":
        JobFailure.objects.create(job=1, error="ConnectionRefusedError: nobody there", at=now)
        connections["owner"].ensure_connection()
        with connections["owner"].cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 5 WHERE id = 1")
        connections["owner"].close()


def _query(query: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(query)


def _step(name: str, path: Any, query: Any, body: Any, answer: Any) -> dict[str, Any]:
    step = {"operation": name, "path": path, "query": query, "body": body, "status": answer.status_code}
    media = answer.headers.get("Content-Type", "")
    assert answer.status_code < 300, (name, answer.status_code, answer.content)
    if media.startswith("application/json"):
        step["answer"] = json.loads(answer.content, parse_float=Decimal)
    return step


def written(steps: list[dict[str, Any]]) -> str:
    """The story as it is kept."""
    return "".join(_lines(steps))


def _lines(steps: list[dict[str, Any]]) -> Iterator[str]:
    yield "[\n"
    yield ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps)
    yield "\n]\n"


def main() -> int:
    """Play the story and keep it."""
    from taktura.kit.database import scratch_database, setup

    setup(throw_away=True)
    with scratch_database():
        text = written(play())
    PLACE.write_text(text, "utf-8")
    print(f"{PLACE.name}: {len(STORY)} steps")
    return 0


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    sys.exit(main())
