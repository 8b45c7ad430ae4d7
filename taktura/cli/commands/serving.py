"""The web server and the worker: `taktura serve`, and what `taktura run` starts."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import click

from taktura.cli.commands.context import open_database
from taktura.cli.show import _, console
from taktura.core.errors import Refused

HOST, PORT = "127.0.0.1", 8000
QUIET = {"TAKTURA_LOG_LEVEL": "WARNING"}
MAIN = "from taktura.config.main import main; main()"  # what a process of its own begins with
PATIENCE = 15  # seconds that a request or the worker gets to end

host_option = click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
port_option = click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), envvar="TAKTURA_PORT",
    help="The port to listen on (TAKTURA_PORT).",
)  # fmt: skip


@click.command(short_help="Serve the office and the API.")
@host_option
@port_option
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Threads of each.")
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """Serve the office and the API, without a worker; for production behind a proxy that speaks HTTPS."""
    from django.conf import settings

    check_port(host, port)
    with metrics_folder():
        open_database()
        serve_until_stopped(host, port, processes, threads, settings.LOG_LEVEL)


@contextmanager
def metrics_folder() -> Iterator[None]:
    """A folder where the server's processes put what they measure. It is asked for before anything is measured."""
    from django.conf import settings

    with TemporaryDirectory(prefix="taktura-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.METRICS_FOLDER = folder
        yield


@click.command(short_help="Do background work: mails, runs, webhooks.")
@click.option("--until-done", is_flag=True, help="End when nothing is due any more.")
def worker(until_done: bool) -> None:
    """Do background work until it is stopped. Several workers may run; one at least must."""
    open_database()
    from django.conf import settings

    from taktura.kit.jobs.worker import run_worker
    from taktura.kit.logs import tell

    tell(settings.LOG_LEVEL)
    run_worker(until_done=until_done)


def check_port(host: str, port: int) -> None:
    """Raise `Refused` (`conflict`) where something listens on a port already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except PermissionError as error:
            raise Refused(
                "invalid", "The port %(port)s is not open to you: choose one with --port 8080.", port=port
            ) from error
        except OSError as error:
            raise Refused(
                "conflict",
                "The port %(port)s is taken, perhaps by another Taktura: stop it, or choose one with --port %(other)s.",
                port=port, other=port + 1,
            ) from error  # fmt: skip


def serve_until_stopped(
    host: str, port: int, processes: int, threads: int, level: str, ready: Callable[[], None] | None = None
) -> None:
    """Run the web server in this process and its children, until SIGINT or SIGTERM; requests under way end first.

    `level`: from which on the log tells. `ready` is called once, when the port listens; it must not touch the database,
    since children are begun after it.
    """
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from django.urls import get_resolver

    from taktura.cli.server import Server
    from taktura.kit.logs import tell

    if not settings.SECRET_KEY:
        raise Refused(
            "invalid", "There is no secret key: set TAKTURA_SECRET_KEY, or give this user write access to %(folder)s.",
            folder=settings.TAKTURA_DATA,
        )  # fmt: skip
    tell(level)
    connections.close_all()  # children make their own

    def application() -> Any:
        made = get_wsgi_application()
        _ = get_resolver().url_patterns  # read once here, not by each process at its first request
        return made

    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "workers": processes, "threads": threads,
        "graceful_timeout": PATIENCE, "timeout": 120, "keepalive": 5, "proc_name": "taktura",
        "control_socket_disable": True,
    }  # fmt: skip
    if ready is not None:
        options["when_ready"] = lambda server: ready()
    Server(application, options).run()


class Worker:
    """The worker as a process beside the server; ends with it.

    It has a session of its own: Ctrl-C reaches the server alone, which then ends the worker.
    """

    def __enter__(self) -> "Worker":
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "worker"], env=os.environ | QUIET, start_new_session=True
        )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def say_address(host: str, port: int) -> str:
    """The address that a person opens."""
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104
    address = f"http://{shown}:{port}/"
    console.print(_("Taktura is at %(address)s – Ctrl-C stops it.", address=f"[bold]{address}[/bold]"))
    return address
