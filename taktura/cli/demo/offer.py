"""What the demo company sells and to whom, as plain data in the words of the scenario format."""

from typing import Any

SELLER: dict[str, Any] = {
    "name": "Sonnenruf Büroservice GmbH",
    "street": "Speicherstadt 7",
    "postcode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "email": "buchhaltung@sonnenruf.example",
    "phone": "+49 40 555 0100",
    "vat_id": "DE136695976",
    "tax_number": "27/123/45678",
    "registration": "Amtsgericht Hamburg HRB 99999",
    "bank_name": "Hansebank Hamburg",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "vat": [[None, "19"]],
}

TARIFFS: dict[str, dict[str, Any]] = {
    "telefon": {
        "title": "Telefonservice",
        "module": "telephone",
        "interval": "1 month",
        "anchor": "calendar",
        "notice": "monthly",
        "minimum_sales": "25.00",
        "tick": "minute",
        "lines": {
            "grundgebuehr": {"title": "Grundgebühr Telefonservice", "charge": "recurring", "price": "19.90"},
            "rufnummer": {
                "title": "Zusätzliche Rufnummer",
                "charge": "recurring",
                "booking": "add_on",
                "price": "4.50",
            },
            "gespraech": {
                "title": "Gesprächszeit",
                "charge": "usage",
                "unit": "minute",
                "price": "1.19",
                "included": "10",
                "tick": "second",
                "in_minimum": True,
            },
            "diktat": {"title": "Diktat", "charge": "usage", "price": "5.00", "in_minimum": True},
            "auskunft": {
                "title": "Auskunft und Recherche",
                "charge": "usage",
                "in_minimum": True,
                "tiers": [{"up_to": "20", "price": "1.00"}, {"price": "0.80"}],
                "tier_mode": "graduated",
            },
        },
    },
    "buero": {
        "title": "Virtuelles Büro",
        "module": "office",
        "interval": "1 month",
        "anchor": "contract",
        "cost_cap": "75.00",
        "lines": {
            "buero": {"title": "Geschäftsadresse mit Postannahme", "charge": "recurring", "price": "49.00"},
            "scan": {"title": "Briefscan", "charge": "usage", "price": "0.85", "included": "20", "in_cap": True},
            "weiterleitung": {"title": "Nachsendung je Paket", "charge": "usage", "price": "7.50", "in_cap": True},
        },
    },
    "cloud": {
        "title": "Cloud services",
        "module": "cloud",
        "interval": "1 month",
        "anchor": "calendar",
        "currency": "USD",
        "lines": {
            "cloud_usage": {
                "title": "Cloud usage",
                "charge": "usage",
                "usage_pricing": "cost_plus",
                "markup": "15",
                "price": "0",
            }
        },
    },
}

# Key, name, tariff, billing information, quantities booked at signing.
CUSTOMERS: list[dict[str, Any]] = [
    {
        "key": "kraus",
        "name": "Kanzlei Kraus & Partner mbB",
        "tariff": "telefon",
        "street": "Am Sandtorkai 12",
        "postcode": "20457",
        "city": "Hamburg",
        "country": "DE",
        "quantities": {"rufnummer": 2},
    },
    {
        "key": "hausverwaltung",
        "name": "Hausverwaltungsgesellschaft Norderelbmarschen mbH & Co. KG",
        "tariff": "telefon",
        "street": "Deichstraße 3",
        "postcode": "21129",
        "city": "Hamburg",
        "country": "DE",
    },
    {
        "key": "lindqvist",
        "name": "Lindqvist Bygg AB",
        "tariff": "telefon",
        "street": "Götgatan 44",
        "postcode": "118 26",
        "city": "Stockholm",
        "country": "SE",
        "tax_status": "reverse_charge",
        "vat_id": "SE559999000801",
    },
    {
        "key": "praxis",
        "name": "Gemeinschaftspraxis Dr. Öztürk",
        "tariff": "buero",
        "street": "Lange Reihe 88",
        "postcode": "20099",
        "city": "Hamburg",
        "country": "DE",
    },
    {
        "key": "northwind",
        "name": "Northwind Consulting Ltd",
        "tariff": "buero",
        "street": "12 Harbour Street",
        "postcode": "BS1 4DJ",
        "city": "Bristol",
        "country": "GB",
        "tax_status": "export",
    },
]

# Usage of a month by article: how many times at least and at most.
HABITS: dict[str, dict[str, tuple[int, int]]] = {
    "kraus": {"gespraech": (25, 40), "diktat": (6, 12), "auskunft": (20, 35)},
    "hausverwaltung": {"gespraech": (60, 90), "diktat": (0, 2), "auskunft": (5, 15)},
    "lindqvist": {"gespraech": (3, 8), "auskunft": (1, 5)},
    "praxis": {"scan": (60, 90), "weiterleitung": (2, 5)},
    "northwind": {"scan": (10, 30), "weiterleitung": (8, 14)},
}

SUPPLIER: dict[str, Any] = {
    "name": "SunBird",
    "currency": "USD",
    "time_zone": "UTC",
    "create_customers": True,
    "create_subscriptions": True,
    "mapping": {
        "id": "Id",
        "customer_id": "SubAccountId",
        "customer_name": "SubAccountName",
        "subscription_id": "SubAccountId",
        "subscription_name": "SubAccountName",
        "product_id": "SkuId",
        "product_name": "ServiceName",
        "period_start": "ChargePeriodStart",
        "period_end": "ChargePeriodEnd",
        "cost_amount": "BilledCost",
        "currency": "BillingCurrency",
    },
}
