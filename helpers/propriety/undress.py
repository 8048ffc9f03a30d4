"""Undress: "nude" that is no thing's colour, cloth that one sees through, clothes that are denied, taken off, or lacking beside one thing.

A grammar looks at what a word modifies: heels may be nude and sleeves sheer, nobody is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from helpers.propriety import words as w

_NEAR = 6  # tokens between "nude" and the thing whose colour it is, at most
_ADJECTIVES = 3  # of them such as no table knows
_UNDER = r"\b(?:over|with|and) (?:\w+ ){0,4}(?:slip|camisole|cami|tank|top|tee|dress|lining|shirt|turtleneck|bodysuit|jumpsuit)" \
         r"(?: \w+)? (?:under|underneath|beneath|below|inside)\b"  # fmt: skip


def find(tokens: Sequence[str], text: str) -> Iterator[str]:
    """What asks for the undressed in ``text``, words with one space between, which are ``tokens``."""
    for i, token in enumerate(tokens):
        if token == "nude" and not _is_colour(tokens, i):
            yield " ".join(tokens[i - 1 : i + 1]) if i and tokens[i - 1] in ("the", "a", "in") else token
        elif token == "naked" and not _is_harmless(tokens, i):
            yield token
        elif (shown := _seen_through(tokens, i)) and not re.search(_UNDER, text):
            yield shown
    for pattern in (_taken_off(), _open(), _denied(), _lacking()):
        yield from (found[0] for found in pattern.finditer(text))
    yield from _alone(tokens, text)


def unspaced(text: str) -> Iterator[str]:
    """The same in languages that are written without spaces, or join words."""
    yield from (found[0] for found in _UNSPACED.finditer(text))


_UNSPACED = re.compile(
    r"裸(?!色|妆|妝|粉|靴|足|肩|背|系|感|眼|脚|高跟|鞋|衬衫|風|风)|(?:靴|帽子|笑顔|ネックレス|エプロン|靴下|ハイヒール)(?:だけ|のみ)|ヌード(?!カラー|色|ベージュ|系|ピンク|リップ|パンプス|トーン|ネイル|ヒール)"
    r"|(?:没|沒|不|未)有?穿着?(?:任何)?(?:衣|上衣|裤|裙)|\b(?:\w+nackt\w*|nackt(?!(?:e[mnrs]?)?\b|schneck|muster|ansatz)\w+)"
)


# ------------------------------------------------------------------------------------------------------- what it modifies


@cache
def _table(*names: str) -> frozenset[str]:
    """The words of the tables ``names`` of ``words``, without accents."""
    return w.unmarked(frozenset().union(*(getattr(w, name) for name in names)))


def _is(token: str, *names: str) -> bool:
    table = _table(*names)
    return token in table or (token.endswith("s") and token[:-1] in table) or token.removesuffix("es") in table


def _is_thing(token: str) -> bool:
    return token.endswith(w.THING_ENDINGS) or _is(
        token, "WHOLE", "UPPER", "LOWER", "UNDER", "OUTER", "PART", "ACCESSORY", "STUFF"
    )


def _is_colour(tokens: Sequence[str], i: int) -> bool:
    """Whether "nude" at ``i`` is a colour: of a thing that follows it, or that it follows."""
    unknown = 0
    for j in range(i + 1, min(i + 1 + _NEAR, len(tokens))):
        token, after = tokens[j], tokens[j + 1 : j + 2]
        colour = _table("COLOURS")
        if (token in (",", "on") and after and after[0] in colour) or token in w.AND or token in colour:
            continue
        if token in w.ENDS:
            break
        if token in _table("PERSON"):
            if token in w.NAMING and after and _is_thing(after[0]):
                continue  # "nude mom jeans"
            return False
        if _is_thing(token):
            return after != ["wearing"]
        unknown += 1
        if unknown > _ADJECTIVES:
            break
    return not (i and tokens[i - 1] in w.BEFORE_UNDRESSED) and _follows_a_thing(tokens[max(0, i - 5) : i])


def _follows_a_thing(before: Sequence[str]) -> bool:
    """Whether the words ``before`` "nude" are a thing, or other colours that it is said beside: "heels in nude", "black or nude"."""
    for back in range(len(before) - 1, -1, -1):
        token = before[back]
        if token in w.COLOUR_NOUNS or (_is(token, "COLOURS") and before[-1] in w.AND):
            return True
        if not (token in w.LEADING_TO_COLOUR or _is(token, "COLOURS")):
            return token not in _table("PERSON") and (_is_thing(token) or _is(token, "FINE_BODY"))
    return False


def _is_harmless(tokens: Sequence[str], i: int) -> bool:
    """Whether "naked" at ``i`` speaks of an eye, a brand, a shoe or a shoulder."""
    after = tokens[i + 1 : i + 2]
    return bool(after) and (after[0] in w.NAKED_THINGS or _is(after[0], "FINE_BODY"))


def _seen_through(tokens: Sequence[str], i: int) -> str:
    """What is seen through at ``i``, unless it is a part of a garment, an accessory, or worn over something else."""
    after = i + 1
    if tokens[i] == "see" and tokens[after : after + 1] in (["through"], ["thru"]):
        after += 1
    elif tokens[i] not in w.SHEER:
        return ""
    rest = tokens[after : after + 9]
    at = next((n for n, token in enumerate(rest[:4]) if _is_thing(token) or token in _table("PERSON")), None)
    if tokens[i] in w.SHEER_AFTER and i and _is_thing(tokens[i - 1]):  # "manches transparentes", "blusa transparente con forro"
        harmless = _is(tokens[i - 1], "PART", "ACCESSORY") or any(
            token in w.OVER and before not in w.NOT_OVER for before, token in pairwise(["", *rest[:4]])
        )
        return "" if harmless else " ".join(tokens[i - 1 : after])
    if at is None:
        return " ".join(tokens[i:after])
    noun, beside = rest[at], rest[at + 1 : at + 5]
    partly = any(
        _is(token, "PART") or token.endswith(("sleeved", "panelled", "paneled", "trimmed")) for token in rest[:3]
    ) or _is(noun, "ACCESSORY", "SEEN_THROUGH_OVER_CLOTHES")
    if partly or (noun not in _table("PERSON") and any(token in w.OVER for token in beside)):
        return ""
    return " ".join(tokens[i : after + at + 1])


# --------------------------------------------------------------------------------------------------- what is not worn


def _covering() -> frozenset[str]:
    """What leaves somebody undressed where it is lacking."""
    return _table("WHOLE", "UPPER", "LOWER", "UNDER", "CLOTHES") - w.unmarked(w.NOT_COVERING)


@cache
def _denied() -> re.Pattern[str]:
    """Clothes denied: a word that denies, and what covers within a few words after it."""
    # What is left out may be another thing, after which clothes are named that are worn: "no hat, a shirt", "without sleeves and jeans".
    other = w.any_of(_table("PART", "ACCESSORY", "OUTER", "LINKS") - w.unmarked(w.ADJECTIVES_TOO))
    between = rf"(?:{w.any_of(w.unmarked(w.BETWEEN))} ){{0,4}}(?:(?!{other}\b)[^\W\d]\w* ){{0,2}}?"
    part = w.any_of(_table("PART") | w.AFTER_HARMLESS)
    return re.compile(rf"\b{w.any_of(w.unmarked(w.DENIALS))} {between}{w.any_of(_covering())}(?:s|es)?\b(?! {part}\b)")


@cache
def _lacking() -> re.Pattern[str]:
    """Clothes that somebody is -less or -free of."""
    cover, goes_on = w.any_of(_covering()), f"(?: (?:,|and|in|on|standing|posing|{w.any_of(_table('PERSON'))})(?: |$)|$)"
    return re.compile(rf"\b(?:{cover}less\b|{cover} (?:less|free)(?={goes_on}))")


@cache
def _taken_off() -> re.Pattern[str]:
    cover = f"{w.any_of(_covering() - w.NOT_TAKEN_OFF | {'everything', 'it all', 'all', 'it'})}s?"
    own = r"(?:(?:all|of|her|his|their|the|my|own|every|a|some|summer|last|white|red|black) )*"
    clothes = w.any_of(_table("CLOTHES") - w.NOT_TAKEN_OFF)
    above = w.any_of(_table("UPPER", "WHOLE", "CLOTHES"))
    off = r"(?! (?:the )?(?:shoulders?|white|black|at|over)\b)"
    return re.compile(
        rf"\b(?:{w.any_of(w.TAKING)} (?:off {own}{cover}|{own}{cover} off)|{w.any_of(w.LEAVING)} out of {own}{cover}"
        rf"|{w.any_of(w.REMOVING)} {own}{cover}(?! (?:button|pocket|hem|line|collar)s?\b)"
        rf"|{above} (?:(?:pulled|hiked) (?:up|down)|(?:wide|fallen|falling|flung|torn) open|(?:slipping|falling|torn|ripped) off){off}"
        rf"|{clothes} (?:(?:are|were|is|have|has|all|been) )*(?:off|gone|removed|missing|absent|discarded|vanished|not included)"
        rf"|(?:her|his|their) {cover} (?:(?:is|are|was|were|has|have|been|being) )*(?:removed|gone|missing|off){off}"
        rf"|(?:her|his|their) {clothes} (?:\w+ ){{0,3}}on the (?:floor|ground|bed|chair)"
        rf"|{w.any_of(w.INTIMATE)} (?:is|are|was|were|left) (?:\w+ )?(?:bare|naked|exposed|uncovered)(?! minimum)"
        rf"|with {own}{cover} (?:off|removed|gone|open|undone|down|pulled (?:up|down)|unbuttoned){off}"
        rf"|{w.any_of(w.SHOWING)} (?:(?:off|all|her|his|their|the|of|it|bare|naked|some|full) )*{w.any_of(w.INTIMATE)}"
        rf"(?! {w.any_of(w.AFTER_INTIMATE)}\b)"
        rf"|(?:unbuttoned|open|undone) to (?:(?:show|reveal|expose)\b(?! (?:(?:the|a|her|his) )?(?:t shirt|tee|top|lining|shirt|vest))"
        rf"|the (?:navel|waist|bottom)))\b"
    )


@cache
def _open() -> re.Pattern[str]:
    outer = f"{w.any_of(_table('OUTER'))}s?"
    fine = w.any_of(_table("FINE_BODY") | {"button", "buttons", "legs", "arms", "ankles", "shoulders"})
    return re.compile(
        rf"\bunbuttoned(?! (?:(?:\w+ ){{0,2}}{outer}|collar|cuffs?|(?:\w+ ){{0,5}}over|at the (?:neck|collar|top|cuffs?))\b)"
        rf"|\buncovered(?! {fine}\b)|\bnothing but "
        rf"(?!(?:the )?(?:best|class|style|{w.any_of(_table('COLOURS'))}|elegant)\b|(?:denim|linen|tweed|wool|cotton|knitwear)(?: ,|$))"
        r"|\bbarely there(?! (?:heel|sandal|shoe|make ?up|strap|stiletto|jewell?e?ry)s?\b)"
        r"|\bexposed(?= (?:body|chest|crotch|butt|behind|backside|skin$|,)|$)|\b(?:woman|man|lady) exposed\b(?! (?:zip|seam|to)\b)"
    )


# ------------------------------------------------------------------------------------------------------ the only thing


@cache
def _only() -> re.Pattern[str]:
    verb = rf"(?P<verb>{w.any_of(w.unmarked(w.WEARING))})(?: (?:mit|in|con|de|by|with|d|da|di|com))?"
    return re.compile(rf"\b{verb} {w.any_of(w.unmarked(w.ONLY))}(?: |$)(?P<what>[^,]*)")


@cache
def _alone_patterns() -> tuple[re.Pattern[str], ...]:
    things, bare = f"{w.any_of(_table('ACCESSORY'))}s?", w.any_of(w.unmarked(w.NO_CLOTHES))
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"\b{things} (?:only|alone|and nothing (?:else|more)|and that s (?:it|all)|and no more)(?= (?:,|and|standing|posing)|$)",
            rf"\b{w.any_of(w.unmarked(w.ONLY))} (?:[^\W\d]\w* ){{0,4}}?(?:{things}|{bare})(?= (?:,|bekleidet|an|on|to cover)|$)",
            rf"\b{things} and (?:(?:a|her|his) )?(?:smile|grin)(?= ,|$)",
            rf"\b(?:wearing|wears|dressed in|clad in|clothed in) (?:\w+ ){{0,2}}{bare}"
            r"(?= (?:,|and nothing|only|alone)|$)",
            rf"\b{w.any_of(_table('OF_AGE_PERSON') | {'model', 'person'})} (?:in|with) (?:(?:only|just) )?(?:(?:a|an|her|his) )?"
            r"(?:smile|towel|bedsheet|sheet|apron)(?= ,|$| only| alone)",
        )
    )


def _alone(tokens: Sequence[str], text: str) -> Iterator[str]:
    """One thing, that does not dress, as the only one worn."""
    for found in _only().finditer(text):
        what = found["what"].split(" ")
        if not _dresses(what) and (
            found["verb"] != "in" or any(_is(t, "WHOLE", "UPPER", "LOWER", "OUTER", "ACCESSORY") for t in what[:5])
        ):
            yield found[0]
    if not any(_is(token, "WHOLE", "UPPER", "LOWER", "OUTER") or token.endswith(w.CLOTHES_ENDINGS) for token in tokens):
        yield from (found[0] for pattern in _alone_patterns() for found in pattern.finditer(text))


def _dresses(tokens: Sequence[str]) -> bool:
    """Whether what ``tokens`` name is enough to wear, or is no thing but a colour or cloth."""
    upper = any(_is(token, "UPPER", "OUTER") or token.endswith(("shirt", "coat")) for token in tokens)
    lower = any(_is(token, "LOWER") or token.endswith("skirt") for token in tokens)
    said = [
        token for token in tokens if token not in ("the", "a", "an", "and", "in", "of", "simple", "plain", "her", "his", "")
    ]
    whole = any(_is(token, "WHOLE") or token.endswith("dress") for token in tokens)
    return (
        whole or (upper and lower) or (bool(said) and (said[0] in w.ABSTRACT or (_is(said[0], "COLOURS") and len(said) == 1)))
    )
