"""Renew the tables of engines and weights in README.md and weights/README.md from their records, each between two comments of its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from helpers import engines, inventory, weights
from helpers.files import write_text

ROOT = Path(__file__).resolve().parents[1]
HASHES = {
    "established": "established",
    "unsure": "unsure",
    "size": "size known, hash not",
    "none": "neither known",
}
"""What is known of a published file, as a row of the table calls it."""


def main() -> None:
    """Write the pages anew."""
    for name in TABLES:
        write_text(ROOT / name, renewed(name))


def renewed(page: str) -> str:
    """The text of ``page``, a key of :data:`TABLES`, with its tables as the records have them."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, make in TABLES[page].items():
        content = make()
        text, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"{page} has {count} places for {name}, not one.")
    return text


def embedded() -> str:
    """The engines that need no weights."""
    rows = [(_step(e.stage), f"`{e.name}`", e.summary, e.licence) for e in engines.ENGINES if e.embedded]
    return _table(("step", "engine", "how", "licence"), rows)


def published() -> str:
    """The engines that run on public checkpoints."""
    rows = [
        (_step(e.stage), _names(e), e.summary, _download(e), e.licence if e.commercial else f"**{e.licence}**", e.machine)
        for e in engines.ENGINES
        if not e.embedded
    ]
    return _table(("step", "engine", "what", "download", "licence", "needs"), rows)


def groups() -> str:
    """The groups of weights: for which engine, how large, whose terms."""
    rows = []
    for group in weights.groups().values():
        users = dict.fromkeys(
            f"{_step(engine.stage)} `{engine.name}{f':{variant}' if variant else ''}`"
            for engine in inventory.users(group.name)
            for variant in engine.variants or ("",)
            if group.name in (*engine.groups(variant), *engine.optional)
        )
        terms = group.terms if group.commercial else f"**{group.terms}**"
        rows.append((group.name, ", ".join(users), inventory.group_size(group), f"{group.licence}: {terms}"))
    return _table(("weights", "engine", "download", "licence and terms"), rows)


def hashes() -> str:
    """Of which files size and hash are known, and how well."""
    rows = []
    for state, words in HASHES.items():
        names = []
        for group in weights.groups().values():
            such = [r for r in group.records if (r.hash if r.sha256 else "size" if r.bytes else "none") == state]
            whole = len(such) == len(group.records)
            names += (
                [group.name]
                if such and whole
                else [f"{len(such)} files of {group.name}"]
                if len(such) > 2
                else [r.name for r in such]
            )
        rows.append((words, ", ".join(names)))
    return _table(("", "files"), rows)


def _step(stage: str) -> str:
    return stage.replace("_", " ")


def _names(engine: engines.Engine) -> str:
    """``name``, or all its variants, written out once."""
    first, *others = [f"`{engine.name}:{variant}`" for variant in engine.variants] or [f"`{engine.name}`"]
    return ", ".join([first, *(f"`:{name.strip('`').partition(':')[2]}`" for name in others)])


def _download(engine: engines.Engine) -> str:
    """Sizes of what it needs, one a variant."""
    sizes = []
    for variant in engine.variants or ("",):
        records = [record for group in engine.groups(variant) for record in weights.records(group)]
        unknown = any(not r.bytes and r.kind not in ("json", "text") for r in records)
        sizes.append("not recorded" if unknown else weights.human_size(sum(r.bytes for r in records)))
    return ", ".join(sizes)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(heads), *rows]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES = {
    "README.md": {"embedded": embedded, "published": published},
    "weights/README.md": {"groups": groups, "hashes": hashes},
}

if __name__ == "__main__":
    main()
