"""Ports for servers of tests."""

import os
import random
import socket

# Below those that the system gives to whoever connects: a port of theirs may be somebody else's a moment later, and who
# asks again and again whether one answers may in the end be connected to itself.
PORTS = range(12_000, 30_000)
_random = random.Random(os.getpid())


def free_port() -> int:
    """A port of this machine that nobody listens on, another one each time."""
    while True:
        port = _random.choice(PORTS)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
