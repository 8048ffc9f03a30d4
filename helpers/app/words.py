"""Every text of the room stands in one file, ``page/en.json``: a translation is another file of the same keys."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent / "page"


@cache
def texts() -> dict[str, str]:
    """Key -> text, with ``{names}`` of what is filled in."""
    return json.loads((PAGE / "en.json").read_text(encoding="utf-8"))


def say(key: str, **values: Any) -> str:
    """The text ``key``, filled in."""
    return texts()[key].format(**values)


class Refused(Exception):
    """What somebody is told instead of what they asked for: an HTTP status, the key of a text, and what it is filled in with."""

    def __init__(self, status: int, key: str, **values: Any) -> None:
        super().__init__(say(key, **values))
        self.status, self.key, self.values = status, key, values
