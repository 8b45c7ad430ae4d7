"""One event to one address: over a connection to an address that was checked, for a limited time, without redirects."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from taktura.webhooks.addresses import NotAllowed, resolve

CONNECT_SECONDS = 5.0
ALL_SECONDS = 15.0  # from the look-up of the name to the end of the answer
READ_BYTES = 2000  # of the answer; what follows is not read
AGENT = "Taktura-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: the status and the beginning of the body, or why there is none; and what was sent."""

    status: int | None
    text: str = ""
    error: str = ""
    milliseconds: int = 0
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


class _Late(httpcore.TimeoutException):
    """The time for all of it is over."""


class _Clock:
    """The time that is left of a request."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds that may still be waited; raises `_Late`."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise _Late("it took too long")
        return left if most is None else min(left, most)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait is cut at the end of the time, so that nobody can drip an answer for ever."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._clock.left(timeout))
        return _Stream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, and to no others: the name is not asked for a second time."""

    def __init__(self, clock: _Clock) -> None:
        self._inner, self._clock = httpcore.SyncBackend(), clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in resolve(host, port):
            try:
                stream = self._inner.connect_tcp(
                    address, port, self._clock.left(CONNECT_SECONDS), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self._clock)
        raise failed


class _Transport(httpx.BaseTransport):
    """httpx over connections of `_Network`."""

    def __init__(self, clock: _Clock) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=_Network(clock), retries=0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        answer = self._pool.handle_request(
            httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream)
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are checked against httpx' authorities and those of the system."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def send(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST a body. Never raises for what a name, a network or a receiver does."""
    begun = time.monotonic()
    status: int | None = None
    text = error = ""
    given = {"content-type": "application/json", "user-agent": AGENT, "accept-encoding": "identity", **headers}
    try:
        transport = _Transport(_Clock(ALL_SECONDS))
        with (
            httpx.Client(transport=transport, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=given) as answer,
        ):
            status = answer.status_code  # it counts, however the rest of the answer comes
            text = _beginning(answer)
    except NotAllowed as refused:
        error = f"{refused} is a private address"
    except (httpcore.TimeoutException, TimeoutError):
        error = "no answer in time"
    except (OSError, UnicodeError, httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError) as fault:
        error = _said(fault)
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as fault:
        error = f"no HTTP: {_said(fault)}"
    return Answer(status, text, error, int((time.monotonic() - begun) * 1000), url, given)


def _beginning(answer: httpx.Response) -> str:
    content = b""
    for part in answer.iter_raw():
        content += part
        if len(content) >= READ_BYTES:
            break
    return content[:READ_BYTES].decode(errors="replace").replace("\0", "")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:200]
