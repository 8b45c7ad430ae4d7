"""Price lists as PDF."""

from dataclasses import asdict
from datetime import date
from typing import Any

from taktura.catalog.price_list import PriceList
from taktura.customers.models import Seller
from taktura.invoices.price_lists.sheet import sheet_of
from taktura.invoices.rendering.page import printable
from taktura.invoices.rendering.pdf import set_page
from taktura.invoices.rendering.words import words_of


def pdf_of(values: PriceList) -> bytes:
    """A price list as PDF/A-3b on A4, in its language; the same bytes for the same list."""
    return set_page("price_list.typ", page_of(values), _file_day(values.on))


def page_of(values: PriceList) -> dict[str, Any]:
    """All texts of the pages, finished, as JSON data."""
    before, _, after = words_of(values.language)["page"].partition("{page}")
    page = asdict(sheet_of(values)) | {
        "page": before, "of": after.partition("{pages}")[0], "footer": _footer(values.seller),
    }  # fmt: skip
    safe: dict[str, Any] = printable(page)
    return safe


def _footer(seller: Seller) -> str:
    place = " ".join(text for text in (seller.postcode, seller.city) if text)
    return " · ".join(text for text in (seller.name, seller.street, place, seller.phone, seller.email) if text)


def _file_day(on: date) -> date:
    """The day of which a file can say that it is: PDF knows no years of less than four digits."""
    return max(on, date(1900, 1, 1))
