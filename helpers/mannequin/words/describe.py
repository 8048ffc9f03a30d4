"""An outfit in words that ``prompt`` reads back."""

from __future__ import annotations

from helpers.mannequin.fabrics import PATTERNS
from helpers.mannequin.outfit import Outfit, Piece
from helpers.mannequin.words.harmony import PLAIN_REPEAT
from helpers.mannequin.words.vocabulary import COLOURS, EYE_COLOURS, HAIR_COLOURS, SKINS


def describe(outfit: Outfit) -> str:
    """The outfit in words; ``parse`` of them gives the same outfit under any seed (but for ``unknown`` and ``notes``)."""
    figure = outfit.figure
    colour = _name(figure.hair_colour, HAIR_COLOURS)
    hair = _HAIR_PHRASES[figure.hair].format(colour)
    person = (
        f"a {figure.age}-year-old {figure.presentation}, {figure.height:g} m tall, {figure.build} build, "
        f"{_name(figure.skin, SKINS)} skin, {hair}, "
        f"{_name(figure.eyes, EYE_COLOURS)} eyes, face {figure.face_seed}, {_POSE_PHRASES.get(figure.pose, figure.pose)}"
    )
    clothes = [_describe_piece(piece) for piece in outfit.pieces]
    if not any(piece.category == "shoes" for piece in outfit.pieces):
        clothes.append("barefoot")
    order = [piece.category for piece in outfit.pieces]
    if {"upper", "lower"} <= set(order):
        clothes.append("tucked in" if order.index("upper") < order.index("lower") else "untucked")
    framing = {"full": "full body", "upper": "upper body"}[outfit.framing]
    return f"{person}, wearing {', '.join(clothes)}, {framing}, against a {_name(outfit.backdrop, COLOURS)} background"


_HAIR_PHRASES = {
    "long": "long {} hair", "short": "short {} hair", "curly": "curly {} hair", "bob": "a bob, {} hair", "bun": "a bun, {} hair",
    "ponytail": "a ponytail, {} hair", "buzz": "a buzz cut, {} hair", "bald": "bald, {} brows",
}  # fmt: skip
_POSE_PHRASES = {"relaxed": "relaxed pose"}
_SLEEVE_PHRASES = {
    "none": "sleeveless", "strap": "strappy", "cap": "cap-sleeved", "short": "short-sleeved", "elbow": "elbow-length",
    "long": "long-sleeved",
}  # fmt: skip
_LENGTH_PHRASES = {
    "full": "full-length",
    "long": "longline",
    "knee": "knee-length",
    "ankle": "ankle-length",
    "regular": "regular-length",
}


def _describe_piece(piece: Piece) -> str:
    fabric, parts = piece.fabric, []
    parts += [_LENGTH_PHRASES.get(piece.length, piece.length)] if piece.length else []
    parts += [_SLEEVE_PHRASES[piece.sleeve]] if piece.sleeve else []
    if piece.neckline:
        parts.append("collared" if piece.neckline == "collar" else f"{piece.neckline} neck")
    parts += [f"{piece.fit} fit"] if piece.category != "shoes" else []
    parts += [fabric.pattern, _name(fabric.colour, COLOURS), fabric.weave, piece.style or piece.kind]
    trim = f"with {_name(fabric.accent, COLOURS)} trim"
    repeat = f" every {1000 * fabric.repeat:g} mm" if fabric.repeat != PLAIN_REPEAT or PATTERNS[fabric.pattern].repeats else ""
    image = f' with "{fabric.image}"' if fabric.image else ""
    article = "" if piece.kind.endswith("s") else "a "
    return f"{article}{' '.join(parts)}{repeat} {trim}{image}"


def _name(colour: str, names: dict[str, str]) -> str:
    return next((name for name, value in names.items() if value == colour), colour)
