"""How many people, pictures and seconds there may be in the room."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, fields
from pathlib import Path

from helpers import checks

SHORTEST_PASSWORD = 10
LARGEST_PICTURE = (1152, 1536)  # width, height at which uploads are kept
WORDS_MOST = 300  # characters of a description


@dataclass(frozen=True)
class Settings:
    """What the room is opened with.

    host, port:   where it listens; anywhere but this machine needs a ``password``. Port 0 takes a free one
    password:     what has to be said at the entrance; nothing: nobody is asked
    certificate, key: files for https; nothing: http
    wardrobe:     a folder of garments of one's own that hang on the wall before the others
    frames:       who may show the page in a frame, as CSP's ``frame-ancestors`` says it
    workers:      try-ons at a time; 0: one a core, up to 4, or one in all where an engine with weights is here, which fills the memory
    waiting:      jobs that may wait in all, and ``waiting_each`` of one person
    sessions:     people at a time; ``idle`` seconds after their last request their pictures are deleted
    pictures_each, bytes_each: what one person may have lying here; ``bytes_all``: everybody together
    upload_bytes, upload_pixels: the largest file that is taken, and the largest picture that is decoded
    rate:         jobs and uploads a minute of one person; ``arrivals``: new people a minute from one address
    patience:     seconds after which a job is given up; ``grace``: how long a stop waits for what runs and waits
    """

    host: str = "127.0.0.1"
    port: int = 8765
    password: str = ""
    certificate: str = ""
    key: str = ""
    wardrobe: str = ""
    frames: str = "'self'"
    workers: int = 0
    waiting: int = 200
    waiting_each: int = 24
    sessions: int = 200
    idle: float = 1800.0
    pictures_each: int = 200
    bytes_each: int = 150_000_000
    bytes_all: int = 5_000_000_000
    upload_bytes: int = 25_000_000
    upload_pixels: int = 50_000_000
    rate: int = 120
    arrivals: int = 60
    patience: float = 900.0
    grace: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, str):
                checks.text(value, field.name)
            elif isinstance(field.default, int):
                checks.whole(value, field.name, 0 if field.name in ("port", "workers") else 1)
            else:
                checks.number(value, field.name, 0, 10**7)
        checks.whole(self.port, "port", 0, 65535)
        if not self.workers:
            object.__setattr__(self, "workers", _workers())
        checks.whole(self.workers, "workers", 1, 64)
        if self.password and len(self.password) < SHORTEST_PASSWORD:
            raise ValueError(f"password must have at least {SHORTEST_PASSWORD} characters, not {len(self.password)}.")
        if not self.password and not is_loopback(self.host):
            raise ValueError(
                f"host: {checks.shown(self.host)} is reached from other machines, and there is no password. "
                "Give one in ATELIER_PASSWORD, or leave --host out to stay on this machine."
            )
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key belong together: give both files for https, or neither.")
        for name in ("certificate", "key"):
            if getattr(self, name):
                checks.file(getattr(self, name), name)
        if self.wardrobe and not Path(self.wardrobe).is_dir():
            raise ValueError(f"wardrobe: {checks.shown(self.wardrobe)} is no folder. Name one with pictures of garments.")


def _workers() -> int:
    from helpers import engines

    heavy = [
        name
        for name in engines.names("try_on")
        if not (record := engines.find("try_on", name)).embedded and record.here() is not None
    ]
    return 1 if heavy else max(1, min(4, os.cpu_count() or 1))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
