"""The parameters of a notebook, read by the types that its parameters cell declares (``seed: int = 0``), whoever gives them.

A command line's ``-p`` gives text, papermill's own ``-p`` text, numbers and flags as it guesses them, its ``-y`` what YAML makes of it, a
cell what Python has. What is text is read here, once for all of them; what does not fit is a ``ValueError`` that begins with the name.

``str``:            text as it is. A number or a flag that was guessed from text is refused, for its text is lost (``007``)
``int``, ``float``: a number, or its text; ``3`` is also a float, ``3.0`` is no int, and a float is finite
``bool``:           a flag, or its text: true, yes, on, false, no, off in any case; 0 and 1 are numbers
``list``, ``dict``: the thing, or its text in Python or JSON; the keys of a dict are text
``list[str]``:      the same of texts; other text than a list's is the only one in it
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from helpers import checks

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "list": ((list, tuple), "a list such as '[[384, 420, 1]]'"),
    "list[str]": ((list, tuple), "a list of texts such as '[\"a red t-shirt\"]'"),
    "dict": ((dict,), "names and values such as '{\"steps\": 30}'"),
}
_INJECTED = "# Parameters\n"
"""How the cell begins in which papermill gives values to parameters."""


def read(name: str, value: Any, kind: str) -> Any:
    """``value`` as the type ``kind`` that the parameter ``name`` declares; one of another type than those above is taken as it is.

    Raises ``ValueError`` saying what is expected and what came.
    """
    if kind == "str":
        if isinstance(value, bool | int | float):
            raise ValueError(
                f"{name} must be text, not {checks.shown(value)}. Text that looks like a number or a flag is given to papermill "
                f"with -r {name} TEXT, and in a cell in quotes."
            )
        return checks.text(value, name)
    if kind not in _KINDS:
        return value
    types, what = _KINDS[kind]
    found: Any = _of_text(name, value, kind) if isinstance(value, str) else value
    fits = isinstance(found, types) and (kind == "bool" or not isinstance(found, bool))
    if not fits:
        raise ValueError(f"{name} must be {what}, not {checks.shown(value)}.")
    match kind:
        case "float":
            return checks.finite(found, name)
        case "list":
            return list(found)
        case "list[str]":
            return [checks.text(item, f"{name}[{place}]") for place, item in enumerate(found)]
        case "dict":
            return {checks.text(key, f"{name}: a name"): item for key, item in found.items()}
    return found


def take(cells: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a notebook, all names that its ``cells`` (IPython's ``In``) give a type, with their ``values`` read.

    Raises ``ValueError`` as :func:`read` does, and for a name that papermill gave a value and that is none of them.
    """
    kinds, given = _declared(cells)
    require_known(given, kinds, "this notebook")
    return {name: read(name, values[name], kind) for name, kind in kinds.items()}


def require_known(names: Iterable[str], known: Collection[str], notebook: str) -> None:
    """Raise ``ValueError`` for a name that is no parameter of ``notebook``, naming those that there are."""
    for name in names:
        if name not in known:
            there = f"its parameters are {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{notebook} has no parameter {checks.shown(name)}{checks.near(name, known)}; {there}.")


def _of_text(name: str, text: str, kind: str) -> Any:
    """What ``text`` says in JSON or Python, or the text itself. Raises ``ValueError`` for a key that stands in it twice."""
    if kind == "bool":
        return _FLAGS.get(text.strip().lower(), text)
    text = text.strip()
    if kind == "list[str]" and text and not text.startswith(("[", "(")):
        return [text]
    for reader in (json.loads, ast.literal_eval):
        try:
            found = reader(text)
            tree = ast.parse(text, mode="eval")
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        for keys in ([ast.unparse(key) for key in n.keys if key] for n in ast.walk(tree) if isinstance(n, ast.Dict)):
            if twice := next((key for key in keys if keys.count(key) > 1), None):
                raise ValueError(f"{name} has {twice} twice; leave one of them.")
        return found
    return text


def _declared(cells: Sequence[str]) -> tuple[Mapping[str, str], list[str]]:
    """The types that cells give names, from IPython's history ``In`` (Python forgets them from 3.14 on), and what papermill set."""
    kinds: dict[str, str] = {}
    given: list[str] = []
    for cell in cells:
        try:
            body = ast.parse(cell).body
        except (SyntaxError, ValueError):  # a cell that never ran
            continue
        for node in body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kinds[node.target.id] = ast.unparse(node.annotation)
            elif isinstance(node, ast.Assign) and cell.startswith(_INJECTED):
                given += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return kinds, given
