"""The clock, for the outermost doors alone; everything inside takes the time as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)
