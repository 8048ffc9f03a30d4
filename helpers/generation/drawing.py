"""From words to people whatever the engine: what it reads in them, the drawing, and what there is to say of it afterwards.

Engines that know their figure (the mannequin) read words into an outfit; those that draw a photograph, into a text of limited length.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from helpers import checks, engines, generate, show
from helpers.contract import SEED
from helpers.mannequin.outfit import Outfit
from helpers.mannequin.words.prompt import describe, parse
from helpers.person import Person


def own_settings(engine: str, *, steps: int = 0, guidance_scale: float = 0.0, negative_prompt: str = "") -> dict[str, Any]:
    """The settings that differ from the engine's own, as ``generate`` takes them; 0 and empty mean the engine's own.

    Raises ``ValueError`` naming the setting where the engine has no such thing, or the value does not fit.
    """
    asked = {"steps": steps, "guidance_scale": guidance_scale, "negative_prompt": negative_prompt}
    return engines.check_settings("generate", engine, {name: value for name, value in asked.items() if value})


def require_number(count: Any, keep: Any, seed: Any) -> None:
    """Check how many pictures are drawn, which is kept, and that there are as many seeds; ``ValueError`` naming the parameter."""
    checks.whole(keep, "keep", 0, checks.whole(count, "count", 1, 16) - 1)
    SEED.check("seed" if count == 1 else f"seed + {count - 1}", SEED.check("seed", seed) + count - 1)


def require_prompt(
    prompt: Any, engine: str = "auto", seed: int = 0, settings: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Check that ``engine`` would draw ``prompt``, before anything slow starts. Raises what it would."""
    if engines.find("generate", engine).knows_figure:
        parse(prompt, seed)
    else:
        engines.load("generate", engine).read(prompt, settings.get("negative_prompt"))


def require_size(engine: str, width: Any, height: Any) -> tuple[int, int]:
    """(width, height) if ``engine`` can draw it; ``ValueError`` naming the parameter."""
    sides = engines.find("generate", engine).sides
    width, height = (
        checks.whole(value, name, sides[0], sides[-1], multiple=sides.step)
        for name, value in (("width", width), ("height", height))
    )
    return engines.check_size(engine, (width, height))


def read(prompt: str, engine: str, seed: int, settings: dict[str, Any]) -> tuple[Outfit | None, show.Table]:
    """What ``engine`` makes of ``prompt``: the outfit where it has one, and a table to look at. Prints what was not understood.

    Raises ``PromptRefused`` and whatever is missing, before anything slow starts.
    """
    if not engines.find("generate", engine).knows_figure:
        asked, avoided = engines.load("generate", engine).read(prompt, settings.get("negative_prompt"))
        print("beyond the prompt's length:", " ".join(asked.cut) or "nothing")
        return None, show.table([{"": "asked for", "words": asked.text}, {"": "kept out", "words": avoided.text}])
    outfit = parse(prompt, seed)
    print(textwrap.fill(f"as understood: {describe(outfit)}", 110))
    print("not understood:", ", ".join(outfit.unknown) or "nothing")
    return outfit, show.table(
        [
            {
                "garment": p.kind,
                "colour": p.fabric.colour,
                "pattern": p.fabric.pattern,
                "cloth": p.fabric.weave,
                "length": p.length,
                "sleeve": p.sleeve,
                "neckline": p.neckline,
                "fit": p.fit,
            }
            for p in outfit.pieces
        ]
    )


def several(
    prompt: str, *, engine: str, seed: int, size: tuple[int, int], number: int = 1, settings: dict[str, Any] | None = None
) -> list[Person]:
    """``number`` people with the seeds ``seed``, ``seed + 1``, …; where the engine draws in steps, they are shown while they form."""
    record, seeds = engines.find("generate", engine), range(seed, seed + number)
    with show.forming(record.steps) as forming:
        settings = {**forming, **(settings or {})}
        if record.multiple:
            return engines.load("generate", engine).many(prompt, seeds=seeds, size=size, **settings)
        return [generate(prompt, engine=engine, seed=each, size=size, **settings) for each in seeds]


def remarks(person: Person) -> str:
    """What the engine did not take from the words, in a line."""
    if outfit := person.scene.get("outfit"):
        return "not understood: " + (", ".join(outfit["unknown"]) or "nothing")
    checked = f"; picture check: {person.scene['picture check']}" if "picture check" in person.scene else ""
    checked += "".join(f"; {person.scene[said]}" for said in ("networks", "retried") if said in person.scene)
    return "beyond the prompt's length: " + (" ".join(person.scene.get("not read", [])) or "nothing") + checked


def metrics(person: Person, outfit: Outfit | None) -> dict[str, Any]:
    """What ``metrics.json`` keeps of this notebook."""
    if outfit is None or person.mask is None or person.keypoints is None:
        keys = (
            "variant",
            "steps",
            "guidance_scale",
            "scheduler",
            "seed",
            "not read",
            "licence",
            "picture check",
            "networks",
            "retried",
        )
        return {key.replace(" ", "_"): person.scene[key] for key in keys if key in person.scene}
    return {
        "pieces": [p.kind for p in outfit.pieces],
        "unknown": list(outfit.unknown),
        "covered": person.mask.mean(),
        "seen_joints": int((person.keypoints[:, 2] > 0).sum()),
    }
