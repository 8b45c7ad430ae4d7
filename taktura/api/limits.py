"""How many requests a key may make: a bucket of tokens for each, in the memory of each process."""

import threading
import time
from dataclasses import dataclass

MOST_KEYS = 10_000  # that are remembered; then those that are full are forgotten


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Each key has `burst` tokens and gets `rate` a second back; a request takes one."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: int, now: float | None = None) -> int:
        """Take a token: 0, or the whole seconds until there is one again."""
        now = time.monotonic() if now is None else now
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                self._forget_full(now)
                bucket = self._buckets[key] = _Bucket(self.burst, now)
            bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self.rate)
            bucket.at = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return 0
            return int((1 - bucket.tokens) / self.rate) + 1

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) >= MOST_KEYS:
            full = [k for k, b in self._buckets.items() if b.tokens + (now - b.at) * self.rate >= self.burst]
            for key in full:
                del self._buckets[key]
