"""The web server: gunicorn with threads, made to end clean at Ctrl-C, however busy the machine is.

A terminal sends Ctrl-C to all processes at once, and gunicorn's own, told by it, tells its children again. Its threaded
child cannot bear that: told while it hands a request to a thread, it waits for a lock that it holds itself; told twice,
it raises in the middle of its own end; told before it listens to signals, it does not hear. So here one process tells
the others, once, and they hear it from the first moment on.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker
from prometheus_client.multiprocess import mark_process_dead

ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGQUIT}


class Parent(Arbiter):  # type: ignore[misc]
    """Starts the others and ends them: requests under way end first; at a second call they do not."""

    handle_int = Arbiter.handle_term

    def spawn_worker(self) -> Any:
        """Start a child; what it is told before it listens is kept for it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            return super().spawn_worker()
        finally:  # of the parent; a child that could not begin comes here, too
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


class Child(ThreadWorker):  # type: ignore[misc]
    """A process that answers requests."""

    def init_signals(self) -> None:
        """Listen to the parent alone."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once. Locks may be held by the very thread that is interrupted here, so none is asked for."""
        os._exit(0)


class Log(Logger):  # type: ignore[misc]
    """The server's own lines go the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Write no files, and no line for each request: that is done elsewhere."""
        self.cfg, self.error_log.propagate = cfg, True
        self._access_log_enabled = False


class Server(BaseApplication):  # type: ignore[misc]
    """Serves what `load` gives; `options` are gunicorn's settings."""

    def __init__(self, load: Callable[[], Any], options: dict[str, Any]) -> None:
        self.load, self._options = load, options
        super().__init__()

    def load_config(self) -> None:
        """Take the settings."""
        fixed = {"worker_class": Child, "logger_class": Log, "child_exit": _forget, "preload_app": True}
        for name, value in (self._options | fixed).items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM. A child never returns: what follows is its parent's."""
        parent, code = os.getpid(), 1
        try:
            Parent(self).run()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else bool(end.code)
            if code and os.getpid() == parent:
                raise
        finally:
            if os.getpid() != parent:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)


def _forget(server: Any, worker: Any) -> None:
    """A process has ended: what it measured of itself alone is forgotten."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
