"""How many requests somebody may make: a bucket of tokens for each, shared by all processes through the database.

A process takes some tokens at once and spends them from its memory, so that a busy key costs a statement every few
requests. All tokens come from the one bucket: several processes together never spend more than it gives.
"""

import math
import threading
import time
from dataclasses import dataclass

from django.db import connection

MOST_KEYS = 10_000  # that are remembered; then those that were not used lately are forgotten
KEPT_SECONDS = 1.0  # for so long tokens that were taken can be spent: then the bucket has given new ones
TAKEN_AT_ONCE = 50  # at most one part in so many of a full bucket


@dataclass(slots=True)
class _Purse:
    """What a process has taken for a key: tokens to be spent, how many at a time, and until when there are none."""

    tokens: int = 0
    share: int = 1
    taken_at: float = -math.inf
    none_until: float = -math.inf


class Buckets:
    """Each key (a number of 64 bits) has `burst` tokens and gets `rate` a second back; a request takes one."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self._most = max(1, burst // TAKEN_AT_ONCE)
        self._purses: dict[int, _Purse] = {}
        self._lock = threading.Lock()

    def take(self, key: int) -> int:
        """Take a token: 0, or the whole seconds until there is one again."""
        now = time.monotonic()
        with self._lock:
            purse = self._purse(key, now)
            fresh = now - purse.taken_at < KEPT_SECONDS
            if purse.tokens and fresh:
                purse.tokens -= 1
                return 0
            if now < purse.none_until:
                return math.ceil(purse.none_until - now)
            share = purse.share = min(purse.share * 2, self._most) if fresh else 1
        return self._refill(purse, key, share)

    def _refill(self, purse: _Purse, key: int, share: int) -> int:
        """Take a share of the bucket, or one token where there are fewer, and spend one."""
        taken = share if self._taken(key, share) else 1 if share > 1 and self._taken(key, 1) else 0
        wait = 0.0 if taken else self._wait(key)
        now = time.monotonic()
        with self._lock:
            if taken:
                fresh = now - purse.taken_at < KEPT_SECONDS
                purse.tokens, purse.taken_at = (purse.tokens if fresh else 0) + taken - 1, now
                return 0
            purse.none_until = now + wait
        return max(1, math.ceil(wait))

    def _taken(self, key: int, count: int) -> bool:
        """Take tokens from the bucket, if it has so many."""
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO api_bucket AS b (key, full_at)
                       VALUES (%(key)s, clock_timestamp() + %(cost)s * interval '1 second')
                   ON CONFLICT (key) DO UPDATE
                       SET full_at = greatest(b.full_at, clock_timestamp()) + %(cost)s * interval '1 second'
                       WHERE b.full_at <= clock_timestamp() + %(room)s * interval '1 second'""",
                {"key": key, "cost": count / self.rate, "room": (self.burst - count) / self.rate},
            )
            return bool(cursor.rowcount == 1)

    def _wait(self, key: int) -> float:
        """Seconds until the bucket has a token."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM full_at - clock_timestamp())::float8 FROM api_bucket WHERE key = %s", [key]
            )
            row = cursor.fetchone()
        seconds: float = row[0] if row else 0.0
        return max(0.0, seconds - (self.burst - 1) / self.rate)

    def _purse(self, key: int, now: float) -> _Purse:
        purse = self._purses.get(key)
        if purse is None:
            if len(self._purses) >= MOST_KEYS:
                used = {k: p for k, p in self._purses.items() if max(p.taken_at + KEPT_SECONDS, p.none_until) > now}
                self._purses = used
            purse = self._purses[key] = _Purse()
        return purse
