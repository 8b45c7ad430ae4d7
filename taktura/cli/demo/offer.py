"""What the demo company sells, as plain data in the words of the scenario format."""

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
    "creditor_id": "DE98ZZZ09999999999",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "vat": [[None, "19"]],
    "portal_allows": ["tickets", "book", "quantity", "notice"],
}

# Lines that several tariffs have: a change of tariff goes on with them. `key` is what the telephone system calls them.
_NUMBER: dict[str, Any] = {"title": "Zusätzliche Rufnummer", "charge": "recurring", "booking": "add_on"}
_USAGE: dict[str, Any] = {"heading": "Nutzung", "headings": {"en": "Usage", "sv": "Användning"}}
_CALL: dict[str, Any] = {
    "title": "Gesprächszeit", "charge": "usage", "key": "call", "unit": "minute", "tick": "second", **_USAGE,
}  # fmt: skip
_DICTATION: dict[str, Any] = {"title": "Diktat", "charge": "usage", "key": "dictation"}
_SEARCH: dict[str, Any] = {"title": "Auskunft und Recherche", "charge": "usage", "key": "search"}
_SCAN: dict[str, Any] = {"title": "Briefscan", "charge": "usage", "key": "scan"}
_PARCEL: dict[str, Any] = {"title": "Nachsendung je Paket", "charge": "usage", "key": "parcel"}
_YEARS = {"initial_term": "12 months", "renewal_term": "1 month", "notice": "1 month", "to": "month_end"}
_TELEPHONE: dict[str, Any] = {"module": "telephone", "anchor": "calendar"}
_MONTHLY: dict[str, Any] = {**_TELEPHONE, "public": True, "notice": "monthly"}

TARIFFS: dict[str, dict[str, Any]] = {
    "telefon": {
        **_MONTHLY,
        "title": "Telefonservice",
        "offer_number": "T-100",
        "interval": "1 month",
        "minimum_sales": "25.00",
        "tick": "minute",
        "lines": {
            "grundgebuehr": {
                "title": "Grundgebühr Telefonservice",
                "charge": "recurring",
                "price": "19.90",
                "highlight": True,
            },  # fmt: skip
            "rufnummer": {**_NUMBER, "price": "4.50"},
            "gespraech": {**_CALL, "price": "1.19", "included": "10", "in_minimum": True},
            "diktat": {**_DICTATION, "price": "5.00", "in_minimum": True},
            "auskunft": {
                **_SEARCH,
                "in_minimum": True,
                "tiers": [{"up_to": "20", "price": "1.00"}, {"price": "0.80"}],
                "tier_mode": "graduated",
            },
        },
    },
    "telefon-start": {
        **_TELEPHONE,
        "title": "Telefonservice Start",
        "public": True,
        "offer_number": "T-50",
        "trial": "30 days",
        "lines": {
            "grundgebuehr": {"title": "Grundgebühr Start", "charge": "recurring", "price": "9.90"},
            "rufnummer": {**_NUMBER, "price": "5.50"},
            "gespraech": {**_CALL, "price": "1.49"},
            "diktat": {**_DICTATION, "price": "5.50"},
        },
    },
    "telefon-flat": {
        **_MONTHLY,
        "title": "Telefonservice Flat",
        "offer_number": "T-300",
        "tolerance": "20",
        "lines": {
            "grundgebuehr": {"title": "Grundgebühr Flat", "charge": "recurring", "price": "29.90"},
            "rufnummer": {**_NUMBER, "price": "4.50"},
            "gespraech": {
                **_CALL,
                "title": "Gesprächszeit ohne Grenze",
                "flat_price": True,
                "price": "149.00",
                "reference_price": "1.19",
            },
            "diktat": {**_DICTATION, "price": "4.50"},
        },
    },
    "telefon-premium": {
        **_TELEPHONE,
        "title": "Telefonservice Premium",
        "public": True,
        "offer_number": "T-500",
        "notice": "yearly",
        "cost_cap": "420.00",
        "tolerance": "10",
        "lines": {
            "grundgebuehr": {"title": "Grundgebühr Premium", "charge": "recurring", "price": "89.00"},
            "rufnummer": {**_NUMBER, "price": "3.90", "discount_scale": [{"above": "5", "percent": "10"}]},
            "bereitschaft": {
                "title": "Bereitschaft rund um die Uhr",
                "charge": "recurring",
                "booking": "on_off",
                "price": "45.00",
            },
            "gespraech": {
                **_CALL,
                "included": "120",
                "tiers": [{"up_to": "300", "price": "0.99"}, {"price": "0.85"}],
                "in_cap": True,
            },
            "diktat": {**_DICTATION, "price": "4.00", "in_cap": True},
            "auskunft": {**_SEARCH, "price": "0.80", "in_cap": True},
        },
    },
    "praxis": {
        **_TELEPHONE,
        "title": "Praxisassistenz",
        "notice": _YEARS,
        "lines": {
            "grundgebuehr": {"title": "Grundgebühr Praxisassistenz", "charge": "recurring", "price": "59.00"},
            "gespraech": {**_CALL, "price": "0.95", "included": "60", "tick": "60/30"},
            "termin": {
                "title": "Terminvergabe",
                "charge": "usage",
                "key": "appointment",
                "tiers": [{"up_to": "50", "price": "0.90"}, {"up_to": "150", "price": "0.75"}, {"price": "0.60"}],
                "tier_mode": "volume",
            },
        },
    },
    "buero": {
        "title": "Virtuelles Büro",
        "module": "office",
        "public": True,
        "offer_number": "B-100",
        "interval": "1 month",
        "anchor": "contract",
        "cost_cap": "75.00",
        "lines": {
            "buero": {"title": "Geschäftsadresse mit Postannahme", "charge": "recurring", "price": "49.00"},
            "scan": {**_SCAN, "price": "0.85", "included": "20", "in_cap": True},
            "weiterleitung": {**_PARCEL, "price": "7.50", "in_cap": True},
        },
    },
    "buero-jahr": {
        "title": "Virtuelles Büro im Jahresvertrag",
        "module": "office",
        "public": True,
        "offer_number": "B-200",
        "interval": "3 months",
        "anchor": "contract",
        "notice": "yearly",
        "lines": {
            "einrichtung": {"title": "Einrichtung", "charge": "once", "price": "99.00"},
            "buero": {
                "title": "Geschäftsadresse mit Postannahme",
                "charge": "recurring",
                "price_per": "1 month",
                "price": "39.00",
            },
            "schrank": {
                "title": "Abschließbarer Schrank",
                "charge": "recurring",
                "booking": "add_on",
                "price_per": "1 month",
                "price": "12.00",
            },
            "scan": {**_SCAN, "price": "0.75", "included": "60"},
            "besprechung": {
                "title": "Besprechungsraum je Stunde",
                "charge": "usage",
                "key": "room",
                "price": "28.00",
                "discount_scale": [{"above": "10", "percent": "15"}],
            },
        },
    },
    "telefonpassning": {
        **_MONTHLY,
        "title": "Telefonpassning",
        "offer_number": "S-100",
        "currency": "SEK",
        "minimum_sales": "290.00",
        "lines": {
            "grundgebuehr": {"title": "Grundavgift telefonpassning", "charge": "recurring", "price": "229.00"},
            "rufnummer": {**_NUMBER, "title": "Extra telefonnummer", "price": "49.00"},
            "gespraech": {**_CALL, "title": "Samtalstid", "price": "12.90", "included": "15", "in_minimum": True},
            "diktat": {**_DICTATION, "title": "Diktering", "price": "55.00", "in_minimum": True},
            "auskunft": {**_SEARCH, "title": "Sökning och upplysning", "price": "9.50", "in_minimum": True},
        },
    },
    "answering": {
        **_MONTHLY,
        "title": "Call answering",
        "offer_number": "E-100",
        "currency": "GBP",
        "cost_cap": "220.00",
        "lines": {
            "grundgebuehr": {"title": "Call answering, monthly fee", "charge": "recurring", "price": "22.00"},
            "rufnummer": {**_NUMBER, "title": "Additional number", "price": "4.00"},
            "gespraech": {**_CALL, "title": "Call time", "price": "1.05", "included": "20", "in_cap": True},
            "diktat": {**_DICTATION, "title": "Dictation", "price": "4.40", "in_cap": True},
            "auskunft": {**_SEARCH, "title": "Search and enquiry", "price": "0.85", "in_cap": True},
        },
    },
    "answering-flat": {
        **_TELEPHONE,
        "title": "Call answering, all inclusive",
        "notice": "monthly",
        "currency": "GBP",
        "trial": "30 days",
        "lines": {
            "grundgebuehr": {"title": "All inclusive, monthly fee", "charge": "recurring", "price": "25.00"},
            "gespraech": {
                **_CALL,
                "title": "Unlimited call time",
                "flat_price": True,
                "price": "125.00",
                "reference_price": "1.05",
            },
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

# What the modules are called that the tariffs name.
MODULES: dict[str, dict[str, Any]] = {
    "telephone": {"title": "Telefonservice", "titles": {"en": "Call answering", "sv": "Telefonpassning"}},
    "office": {"title": "Virtuelles Büro", "titles": {"en": "Virtual office", "sv": "Virtuellt kontor"}},
    "cloud": {"title": "Cloud", "titles": {}},
}
# By it a tariff that is not public was offered to somebody.
OFFER: dict[str, Any] = {"number": "Q7KD-M3XA-9TWE-4HNP-CF6G", "memo": "Ärztehaus Altona", "most_uses": 3}

COUPONS: dict[str, dict[str, Any]] = {
    "WILLKOMMEN": {"title": "Neukunden", "percent": "20", "periods": 3},
    "TREUE5": {"title": "Langjährige Kunden", "percent": "5", "lines": ["grundgebuehr"]},
    "MESSE": {"title": "Messe Hamburg", "amount": "10.00", "periods": 1, "most_uses": 50},
}
# Codes of one coupon, given out at a fair: each is for one contract.
CODES: dict[str, Any] = {"coupon": "MESSE", "count": 12, "memo": "Stand in Halle 4"}

SUPPLIER: dict[str, Any] = {
    "name": "SunBird",
    "currency": "USD",
    "time_zone": "UTC",
    "contact": "Partner desk",
    "email": "partners@sunbird.example",
    "phone": "+1 202 555 0143",
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
