"""Who uses the embedded database: it is not stopped under another's hands, and not taken for running while it stops.

Each process that uses it holds a shared lock on one file of the data folder until it ends, however it ends. Whoever
stops the database asks for that lock alone; who comes meanwhile waits, and then starts it anew.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = ".database-users"
_held: dict[Path, int] = {}  # open files by folder; they stay open as long as the process


def join(folder: Path) -> None:
    """Use the database of a data folder from now on; waits while another process stops it.

    A folder that cannot be written is not locked: nothing is started or stopped there either.
    """
    if folder in _held:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return
    fcntl.flock(handle, fcntl.LOCK_SH)
    _held[folder] = handle


@contextmanager
def alone(folder: Path, seconds: float) -> Iterator[bool]:
    """Whether no other process uses the database; if so, none comes as long as the block runs.

    `seconds`: how long to wait for others that are just ending.
    """
    join(folder)
    handle = _held.get(folder)
    if handle is None:
        yield True
        return
    found = _lock_alone(handle, time.monotonic() + seconds)
    try:
        yield found
    finally:
        os.close(_held.pop(folder))


def _lock_alone(handle: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)


def mark(folder: Path, pid: int | None) -> None:
    """Write down which server is to be stopped by the last that uses it."""
    if (handle := _held.get(folder)) is not None:
        os.truncate(handle, 0)
        os.pwrite(handle, str(pid or "").encode(), 0)


def marked(folder: Path) -> int | None:
    """The server that is to be stopped by the last that uses it."""
    handle = _held.get(folder)
    said = os.pread(handle, 20, 0) if handle is not None else b""
    return int(said) if said.isdigit() else None
