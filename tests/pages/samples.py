"""A row for every place in the addresses of pages."""

from tools.pages import OTHERS, Page, first


def path_of(page: Page) -> str:
    entry = first("audit_logentry WHERE subject LIKE 'contract:%'")
    return page.path(first, OTHERS | {"entry": entry})
