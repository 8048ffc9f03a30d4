"""The password at the entrance, and how often somebody may ask: token buckets, by person and by address."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

from helpers.app.words import Refused

_TRIES = 6  # wrong passwords a minute, from one address
_TRIES_ALL = 60  # from all addresses together, for addresses are cheap
_ADDRESSES = 10_000  # that are remembered


class Bucket:
    """At most ``rate`` in a minute, all at once too. ``clock`` gives seconds."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._clock = rate, clock
        self._left, self._at = float(rate), clock()

    def take(self) -> float:
        """Take one: 0 where there was one, else the seconds until there will be."""
        self._fill()
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) * 60 / self.rate

    def wait(self) -> float:
        """Seconds until there is one, without taking it."""
        self._fill()
        return max(0.0, (1 - self._left) * 60 / self.rate)

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(float(self.rate), self._left + (now - self._at) * self.rate / 60)
        self._at = now


class Addresses:
    """A bucket for each address; the longest unseen are forgotten."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, address: str) -> Bucket:
        """The bucket of ``address``."""
        bucket = self._buckets.setdefault(address, Bucket(self._rate, self._clock))
        self._buckets.move_to_end(address)
        while len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket


class Entrance:
    """Asks for the password, in constant time, and for fewer arrivals where there are too many."""

    def __init__(self, password: str, arrivals: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._digest = hashlib.sha256(password.encode()).digest() if password else b""
        self._arrivals = Addresses(arrivals, clock)
        self._tries, self._all_tries = Addresses(_TRIES, clock), Bucket(_TRIES_ALL, clock)

    @property
    def asks(self) -> bool:
        """Whether a password is needed."""
        return bool(self._digest)

    def arrive(self, address: str, password: str) -> None:
        """Let somebody in. Raises ``Refused`` for a wrong password, after too many of them, and for too many arrivals."""
        self.check(address, password)
        if wait := self._arrivals.of(address).take():
            raise Refused(429, "error.busy", seconds=round(wait) + 1)

    def check(self, address: str, password: str) -> None:
        """Raises ``Refused`` for a wrong password, and after too many without looking at it."""
        if not self.asks:
            return
        tries = self._tries.of(address)
        if wait := max(tries.wait(), self._all_tries.wait()):
            raise Refused(429, "error.busy", seconds=round(wait) + 1)
        if not hmac.compare_digest(hashlib.sha256(password.encode()).digest(), self._digest):
            tries.take()
            self._all_tries.take()
            raise Refused(401, "error.password")
