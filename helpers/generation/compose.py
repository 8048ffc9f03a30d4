"""From the user's clothing words to the two prompts of a diffusion model: adults only, dressed, one whole figure.

What is refused is the same for every engine: ``helpers.propriety`` says it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from helpers import checks, propriety
from helpers.mannequin.words.prompt import read_words

MOST_TOKENS = 75
"""CLIP reads 77 tokens, of which two mark start and end."""

AGAINST_ALWAYS = (
    "child, children, teenager, underage, baby, childlike, nude, naked, nudity, topless, undressed, exposed, "
    "bare breasts, see-through, lingerie, underwear, nsfw"
)
"""Stands first in every negative prompt."""
AGAINST_FLAWS = (
    "two people, cropped, out of frame, deformed, extra limbs, bad hands, low quality, blurry, text, watermark, drawing"
)
"""What a negative prompt holds besides, unless the user gives another."""

_PERSON = re.compile(
    r"\b(woman|women|lady|man|men|gentleman|guy|person|people|model|businesswoman|businessman|actress|actor|mother|father"
    r"|grandmother|grandfather|female|male|figure|someone)\b",
    re.IGNORECASE,
)


def refuse(text: str, name: str = "prompt") -> list[tuple[str, object]]:
    """Raise ``PromptRefused`` where ``text`` asks for a minor or undress; returns what the mannequin's grammar knows of it.

    Raises ``ValueError`` where it is no text or empty.
    """
    checks.words(text, name)
    propriety.judge(text)
    # Quotes and print: name pictures to the mannequin; here they are words like any other.
    return read_words(re.sub(r'["“”]|print:', " ", unicodedata.normalize("NFKC", text)))


@dataclass(frozen=True)
class Prompt:
    """``text`` as the model reads it, and the user's words that were beyond its length (``cut``)."""

    text: str
    cut: tuple[str, ...] = ()


def compose(words: str, tokens: Callable[[str], int]) -> Prompt:
    """The prompt of a full-figure fashion photograph of an adult who wears what ``words`` say.

    tokens: how many tokens a text is; what comes after the user's words gives way to them, then their last words are cut
    Raises as :func:`refuse`.
    """
    known = refuse(words)
    slots = {slot for slot, _ in known}
    words = re.sub(r"\s+", " ", words).strip().rstrip(".,;")
    framing = "upper body" if ("framing", "upper") in known else "full body"
    head = f"{framing} fashion photograph of {_of_an_adult(words)}"
    tail = ["fully dressed"]
    tail += [] if "pose" in slots else ["standing, facing the camera"]
    tail += [] if ("head", "backdrop") in known else ["plain light grey studio backdrop"]
    tail += [] if framing == "upper body" else ["head to toe in frame"]
    tail += ["soft even light, natural skin, sharp focus"]
    while len(tail) > 1 and tokens(", ".join([head, *tail])) > MOST_TOKENS:
        tail.pop()
    spoken = head.split(" ")
    kept = len(spoken)
    while kept and tokens(", ".join([" ".join(spoken[:kept]), *tail])) > MOST_TOKENS:
        kept -= 1
    return Prompt(", ".join([" ".join(spoken[:kept]).rstrip(",;"), *tail]), tuple(spoken[kept:]))


def against(words: str | None, tokens: Callable[[str], int]) -> Prompt:
    """The negative prompt: minors and undress always, then ``words``, or the usual flaws where they are ``None``.

    Raises ``PromptRefused`` where ``words`` would take clothes or years away, ``ValueError`` where they are no text.
    """
    if words is None:
        flaws = AGAINST_FLAWS.split(", ")
        while tokens(", ".join([AGAINST_ALWAYS, *flaws])) > MOST_TOKENS:
            flaws.pop()
        return Prompt(", ".join([AGAINST_ALWAYS, *flaws]))
    words = re.sub(r"\s+", " ", checks.text(words, "negative_prompt")).strip(" ,.;")
    propriety.judge_negative(words)
    parts = words.split(" ") if words else []
    kept = len(parts)
    while kept and tokens(f"{AGAINST_ALWAYS}, {' '.join(parts[:kept])}") > MOST_TOKENS:
        kept -= 1
    return Prompt(", ".join(filter(None, [AGAINST_ALWAYS, " ".join(parts[:kept]).rstrip(",")])), tuple(parts[kept:]))


def _of_an_adult(words: str) -> str:
    """``words`` with "adult" before the person they speak of, or worn by one where they speak only of clothes."""
    if re.search(r"\b(adult|grown)\b", words, re.IGNORECASE) and _PERSON.search(words):
        return words
    person = _PERSON.search(words)
    if person is None:
        return f"an adult model wearing {words}"
    before = re.sub(r"\b([Aa])\s$", r"\1n ", words[: person.start()])  # a woman, an adult woman
    return f"{before}adult {words[person.start() :]}"
