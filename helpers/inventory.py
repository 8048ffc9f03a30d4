"""Tables for people: the groups of weights and the engines, what is here of them and whether this machine can use it."""

from __future__ import annotations

from typing import Any

from helpers import engines, machine, weights
from helpers.weights import verify


def rows() -> list[dict[str, Any]]:
    """One row a group of weights: what it is for, how large, whose licence, whether it is here and whether this machine can use it."""
    return [
        {
            "weights": group.name,
            "engine": ", ".join(f"{e.stage} {e.name}" for e in users(group.name)),
            "what": group.summary,
            "files": len(group.records),
            "size": group_size(group),
            "licence": f"{group.licence}: {group.terms}",
            "here": verify.presence(group.name),
            "fits this machine": fits(group.name),
        }
        for group in weights.groups().values()
    ]


def engine_rows() -> list[dict[str, Any]]:
    """One row an engine: what it does and needs, whose licence, whether it can run here and whether ``auto`` takes it."""
    return [
        {
            "stage": engine.stage,
            "engine": engine.name,
            "variants": ", ".join(engine.variants),
            "what it does": engine.summary,
            "needs": engine.machine,
            "weights here": _engine_presence(engine),
            "fits this machine": "yes" if engine.fits() else f"no{_to_install(engine)}",
            "auto": "yes" if is_auto(engine) else "",
            "weights": ", ".join(engine.groups()) or "none",
            "licence": engine.licence,
        }
        for engine in engines.ENGINES
    ]


def _engine_presence(engine: engines.Engine) -> str:
    """``embedded``, the variants whose files are all here, ``yes`` or ``no``; and whether those are tiny test networks."""
    if engine.embedded:
        return "embedded"
    there = ", ".join(engine.variants_here()) or ("no" if engine.here() is None else "yes")
    return f"{there} (tiny test networks)" if there != "no" and engine.tiny() else there


def users(group: str) -> list[engines.Engine]:
    """The engines that need ``group``, or use it where it is here."""
    return [engine for engine in engines.ENGINES if group in (*engine.groups(), *engine.optional)]


def is_auto(engine: engines.Engine) -> bool:
    """Whether ``engine="auto"`` takes it here; a stage without an embedded engine may have none that can run."""
    try:
        return engines.find(engine.stage) == engine
    except weights.Missing:
        return False


def group_size(group: weights.Group) -> str:
    """How much there is to download of ``group``, for people; configs and vocabularies without a recorded size are nothing beside it."""
    unknown = any(not r.bytes and r.kind not in ("json", "text") for r in group.records)
    if not group.bytes:
        return "not recorded" if unknown else "under 1 MB"
    return ("over " if unknown else "") + weights.human_size(group.bytes)


def fits(group: str) -> str:
    """Whether this machine can run an engine that needs ``group``: ``yes``, or what it lacks."""
    needing = users(group)
    if any(engine.fits() for engine in needing):
        return "yes"
    lacks = [f"no{_to_install(engine) or f': {engine.name} needs {engine.machine}'}" for engine in needing]
    return "; ".join(lacks) or "nothing uses it"


def _to_install(engine: engines.Engine) -> str:
    missing = machine.lacks(engine.packages)
    return f": install {', '.join(missing)}" if missing else ""
