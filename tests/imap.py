"""A real IMAP server for tests (pymap, its mails in memory), in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from imapclient import IMAPClient

from tests.ports import free_port

USER, PASSWORD = "post@firm.example", "s3cret word"
SECONDS = 60  # to come up, on a busy machine
# The server as it is installed, but that it hashes the password of its one user once: half a million times, as it
# does by itself, cost a third of a second with each sign-in.
PYMAP = """
from pysasl.hashing import BuiltinHash
BuiltinHash.__init__.__kwdefaults__["rounds"] = 1
from pymap.main import main
main()
"""


class Server:
    """A server that can be stopped; started again it is another one, with nothing in it."""

    def __init__(self, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self.port = port or free_port()
        self._tls = ["--cert", str(certificate[0]), "--key", str(certificate[1])] if certificate else ["--no-tls"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-c", PYMAP, "--host", "127.0.0.1", "--port", str(self.port)]
        command += [*self._tls, "dict", "--demo-user", USER, "--demo-password", PASSWORD]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert self._process.poll() is None and time.monotonic() < until, "no IMAP server"
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """Somebody's mail program."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=30) as client:
            client.login(USER, PASSWORD)
            yield client

    def make(self, folder: str) -> None:
        """Make an empty folder; one of that name goes with its mails, and its numbers hold no more."""
        with self.client() as client:
            if client.folder_exists(folder):
                client.delete_folder(folder)
            client.create_folder(folder)

    def put(self, folder: str, *mails: EmailMessage | bytes, came_at: datetime | None = None) -> None:
        """Let mails come in."""
        with self.client() as client:
            for mail in mails:
                content = mail if isinstance(mail, bytes) else mail.as_bytes()
                client.append(folder, content, msg_time=came_at)

    def mails(self, folder: str) -> list[bytes]:
        """What lies in a folder."""
        with self.client() as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            uids = client.search("UNDELETED")
            found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
            return [found[uid][b"BODY[]"] for uid in sorted(found)]


def mail(
    message_id: str = "", *, subject: str = "Hello", sender: str = "Ada <ada@c.example>", text: str = "Good morning",
    files: tuple[tuple[str, bytes], ...] = (), date: datetime = datetime(2026, 3, 1, 7, tzinfo=UTC), **headers: str,
) -> EmailMessage:  # fmt: skip
    """A mail as a mail program writes it; `headers` with `_` for `-`."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Date"] = sender, USER, subject, date
    if message_id:
        made["Message-ID"] = message_id
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made
