"""The keys that a new seller begins with: what telephone services, clouds and hosts usually send."""

from typing import Any


def _key(key: str, en: str, de: str, sv: str, *allows: str) -> dict[str, Any]:
    return {
        "key": key, "title": en, "titles": {"de": de, "sv": sv},
        **{name: name in allows for name in ("time_based", "flat_price", "own_notice")},
    }  # fmt: skip


USUAL: tuple[dict[str, Any], ...] = (
    _key("calls", "Calls answered", "Angenommene Gespräche", "Besvarade samtal", "time_based", "flat_price"),
    _key("calls_out", "Calls made", "Ausgehende Gespräche", "Utgående samtal", "time_based", "flat_price"),
    _key("transfer", "Calls put through", "Vermittelte Gespräche", "Kopplade samtal", "time_based", "flat_price"),
    _key("dictation", "Dictation", "Diktat", "Diktat", "time_based"),
    _key("search", "Search", "Suche", "Sökning"),
    _key("fax", "Fax", "Fax", "Fax"),
    _key("sms", "Text message", "SMS", "Sms"),
    _key("mail", "Letter handled", "Bearbeiteter Brief", "Hanterat brev"),
    _key("voicemail", "Answering machine", "Anrufbeantworter", "Telefonsvarare", "flat_price", "own_notice"),
    _key("number", "Telephone number", "Rufnummer", "Telefonnummer", "own_notice"),
    _key("licence", "Licence", "Lizenz", "Licens", "own_notice"),
    _key("server", "Server", "Server", "Server", "time_based", "flat_price", "own_notice"),
    _key("storage", "Storage", "Speicherplatz", "Lagring", "flat_price", "own_notice"),
    _key("traffic", "Data traffic", "Datenverkehr", "Datatrafik", "flat_price"),
    _key("domain", "Domain", "Domain", "Domän", "own_notice"),
)
