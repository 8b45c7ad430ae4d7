"""Whether this process was told to end. Long work looks at it at each of its borders."""

import threading

ending = threading.Event()


class Interrupted(Exception):
    """Long work was broken off at a border, because its worker ends; the next one goes on with it."""
