"""The web server and the worker: `taktura serve`, and what `taktura run` starts."""

import signal
import socket
import subprocess
import sys
from typing import Any

import click

from taktura.cli.commands.context import open_database
from taktura.cli.show import _, console
from taktura.core.errors import Refused

HOST, PORT = "127.0.0.1", 8000
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
    check_port(host, port)
    open_database()
    serve_until_stopped(host, port, processes, threads)


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


def serve_until_stopped(host: str, port: int, processes: int, threads: int) -> None:
    """Run the web server in this process and its children, until SIGINT or SIGTERM; requests under way end first."""
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    connections.close_all()  # children make their own

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                "workers": processes, "threads": threads, "worker_class": "gthread", "preload_app": True,
                "graceful_timeout": PATIENCE, "timeout": 120, "keepalive": 5, "loglevel": "warning",
                "proc_name": "taktura", "control_socket_disable": True,
            }  # fmt: skip
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return get_wsgi_application()

    try:
        Server().run()
    except SystemExit as end:
        if end.code:
            raise


class Worker:
    """The worker as a process beside the server; ends with it."""

    def __enter__(self) -> "Worker":
        code = "from taktura.config.main import main; main()"
        self.process = subprocess.Popen([sys.executable, "-c", code, "worker"])
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
