"""Static files whose address changes with their content, so that browsers may keep them for long."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles.finders import find
from django.contrib.staticfiles.storage import StaticFilesStorage


class StampedStorage(StaticFilesStorage):
    """Adds a stamp of the content to each address. Nothing has to be collected before the server starts."""

    def url(self, name: str | None) -> str:
        """`/static/name?v=…`"""
        return f"{super().url(name)}?v={_stamp(name or '')}"


@lru_cache(maxsize=500)
def _stamp(name: str) -> str:
    path = find(name)
    if not isinstance(path, str):
        raise ValueError(f"there is no static file {name}")
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
