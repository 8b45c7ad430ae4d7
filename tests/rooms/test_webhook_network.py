"""Where webhooks may go, and what a receiver cannot do to the sender."""

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from taktura.core.errors import Refused
from taktura.webhooks import addresses, sending
from tests.api.receiver import Receiver, receiving
from tests.ports import free_port

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "233.1.1.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2002:c0a8:1::1", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who gets what is sent."""
    with receiving() as one:
        yield one


@pytest.fixture
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Private addresses are allowed."""
    monkeypatch.setattr(settings, "WEBHOOKS_TO_PRIVATE_ADDRESSES", True)


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_known(text: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_known(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "ftp://x.example/", "file:///etc/passwd", "javascript:alert(1)", "//x.example/", "https://",
        "https:///path", "https://x.example:0/", "https://x.example:99999/", "https://x.example/a b",
        "https://x.example/\r\nHost: y", "https://[::1/", "https://user:pw@x.example/", "https://x.example/#part",
        "https://localhost/", "https://api.localhost/", "https://printer.local/", "https://db.internal/",
        "http://x.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/",
        "https://169.254.169.254/latest/meta-data/", "https://[::ffff:127.0.0.1]/", "https://x.example/" + "a" * 2000,
        "https://x.example/\x00",
    ],
)  # fmt: skip
def test_what_is_no_public_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        addresses.check_url(url)


@pytest.mark.parametrize("url", ["https://x.example/hooks?of=1", "https://x.example:8443", "https://8.8.8.8/"])
def test_public_addresses_of_the_web_are_taken(url: str) -> None:
    addresses.check_url(url)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("url", ["http://localhost:8000/", "http://192.168.0.1/", "https://printer.local/x"])
def test_private_addresses_are_taken_when_they_are_wanted(url: str) -> None:
    addresses.check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
def test_nothing_is_sent_to_a_private_address_however_it_is_written(receiver: Receiver, host: str) -> None:
    answer = sending.send(f"http://{host}:{receiver.port}/", b"{}", {})
    assert not answer.delivered and receiver.came == []
    assert "private" in answer.error, answer.error


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the name hooks.example stand for other addresses each time it is asked for; gives what was asked."""
    asked: list[str] = []
    right = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "hooks.example":
            return right(host, port, *args, **options)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    answer = sending.send(f"http://hooks.example:{receiver.port}/", b"{}", {})
    assert answer.error == "127.0.0.1 is a private address" and receiver.came == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise when it is asked again gains nothing: it is asked once."""
    asked = names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    monkeypatch.setattr(addresses, "is_public", lambda address: str(address) == "127.0.0.1")
    answer = sending.send(f"http://hooks.example:{receiver.port}/x", b"{}", {})
    assert answer.delivered and asked == ["hooks.example"]
    assert receiver.came[0][0]["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.usefixtures("own_network")
def test_the_next_address_is_tried_where_one_does_not_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["127.0.0.2", "127.0.0.1"])  # the receiver listens to one of them
    assert sending.send(f"http://hooks.example:{receiver.port}/", b"{}", {}).delivered


@pytest.mark.usefixtures("own_network")
def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sending.send(receiver.url, b"{}", {}).delivered


@pytest.mark.usefixtures("own_network")
def test_networks_that_fail_are_told() -> None:
    for url in (f"http://127.0.0.1:{free_port()}/", "http://does-not-exist.invalid/"):
        answer = sending.send(url, b"{}", {})
        assert answer.status is None and answer.error and not answer.delivered


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer that never ends, a byte now and then."""
    try:
        for _ in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """A good beginning that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(handler)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize(("talk", "delivered"), [(drip, False), (drip_body, True)])
def test_a_slow_answer_is_cut_off(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, talk: Any, delivered: bool
) -> None:
    monkeypatch.setattr(sending, "ALL_SECONDS", 1.0)
    receiver.answers = [talk]
    begun = time.monotonic()
    answer = sending.send(receiver.url, b"{}", {})
    assert time.monotonic() - begun < 8 and answer.delivered == delivered  # to its end it takes ten
    assert answer.error == "no answer in time"


def long(handler: BaseHTTPRequestHandler) -> None:
    """A long answer, with a sign that no database takes."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"\0\xff" + b"x" * 100_000)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    """No HTTP."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")


@pytest.mark.usefixtures("own_network")
def test_of_a_long_answer_the_beginning_is_kept(receiver: Receiver) -> None:
    receiver.answers = [long]
    answer = sending.send(receiver.url, b"{}", {})
    assert answer.delivered and answer.text.startswith("\ufffdxxx") and len(answer.text) <= sending.READ_BYTES


@pytest.mark.usefixtures("own_network")
def test_what_speaks_no_http_is_told(receiver: Receiver) -> None:
    receiver.answers = [nonsense]
    answer = sending.send(receiver.url, b"{}", {})
    assert answer.status is None and answer.error.startswith("no HTTP")


def certificate(folder: Path) -> Path:
    """A certificate for hooks.example that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + dt.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    place = folder / "certificate.pem"
    place.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return place


@pytest.mark.usefixtures("own_network")
def test_a_certificate_is_checked_for_the_name_though_the_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = certificate(tmp_path)
    serves, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=place)
    serves.load_cert_chain(place)
    names(monkeypatch, ["127.0.0.1"])
    with receiving(serves) as receiver:
        answer = sending.send(f"https://hooks.example:{receiver.port}/", b"{}", {})
        assert "certificate" in answer.error.lower() and receiver.came == []
        monkeypatch.setattr(sending, "_tls", lambda: trusts)
        assert sending.send(f"https://hooks.example:{receiver.port}/", b"{}", {}).delivered
        answer = sending.send(f"https://127.0.0.1:{receiver.port}/", b"{}", {})
        assert "certificate" in answer.error.lower() and len(receiver.came) == 1
