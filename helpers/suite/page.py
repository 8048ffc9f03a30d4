"""The report as one page that opens from the disk: a card a run, those that failed first, its pictures beside the expected ones."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from helpers.suite.verdict import Difference, State, said

_ORDER = ("failed", "stopped", "running", "waiting", "passed", "skipped")
_STYLE = """
:root { color-scheme: light dark; --page: #f6f5f2; --card: #fff; --ink: #22211f; --soft: #6d6a64; --line: #e3e0d9;
  --good: #1d7a46; --bad: #b3261e; --rest: #7a6a2f; }
@media (prefers-color-scheme: dark) { :root { --page: #191816; --card: #23211e; --ink: #ece9e3; --soft: #a5a097; --line: #38352f;
  --good: #6fcf97; --bad: #ff8a80; --rest: #d8c27a; } }
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; padding: 1.5rem clamp(.75rem, 4vw, 3rem) 4rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.6rem; font-weight: 650; letter-spacing: -.01em; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 1.5rem; padding: 0; list-style: none; }
.counts li, .status { padding: .1rem .6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem; white-space: nowrap; }
.passed { color: var(--good); } .failed { color: var(--bad); } .skipped { color: var(--soft); }
.waiting, .running, .stopped { color: var(--rest); }
article { margin: 0 0 .75rem; padding: .9rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
article.bad { border-left: .3rem solid var(--bad); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; }
h2 { margin: 0; font-size: 1.05rem; font-weight: 620; overflow-wrap: anywhere; }
header .soft { margin-left: auto; font-variant-numeric: tabular-nums; }
ul.why { margin: .5rem 0 0; padding-left: 1.1rem; color: var(--bad); overflow-wrap: anywhere; }
.skip ul.why { color: var(--soft); }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--soft); }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; } tr.bad td { color: var(--bad); }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: .75rem; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .85rem; max-width: 25rem; overflow-wrap: anywhere; }
figure img { height: 11rem; max-width: 45%; object-fit: contain; border-radius: .3rem; background: var(--line); margin-right: .35rem; }
figure.bad img { outline: 2px solid var(--bad); } figure.bad figcaption { color: var(--bad); }
nav { margin-top: .6rem; display: flex; gap: 1rem; } a { color: inherit; }
"""


def page(about: dict[str, Any], states: Sequence[State], out: Path, expected: Path) -> str:
    """HTML of ``report.json``'s ``about`` and its ``states``. out: where the results are; expected: the folder of expected pictures"""
    counts = about["counts"]
    bad = counts.get("failed", 0) + counts.get("stopped", 0)
    title = (
        f"{bad} of {len(states)} runs failed"
        if bad
        else "Every run is as expected"
        if about["complete"]
        else "The suite is not through"
    )
    environment = about["environment"]
    facts = [about["plan"], f"started {about['started']}", f"commit {environment['commit'] or 'unknown'}"]
    facts += [f"Python {environment['python']}", environment["platform"]]
    order = {status: place for place, status in enumerate(_ORDER)}
    cards = "\n".join(_card(state, out, expected) for state in sorted(states, key=lambda state: order[state.status]))
    chips = "".join(f'<li class="{status}">{counts[status]} {status}</li>' for status in _ORDER if counts.get(status))
    unfinished = (
        "" if about["complete"] else f'<p class="soft">Written {escape(about["written"])}, before the suite was through.</p>'
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="soft">{escape(" · ".join(facts))}</p>
{unfinished}
<ul class="counts">{chips}</ul>
{cards}
</main>
</body>
</html>
"""


def _card(state: State, out: Path, expected: Path) -> str:
    case, outcome = state.case, state.outcome
    kind = {"failed": "bad", "stopped": "bad", "skipped": "skip"}.get(state.status, "")
    seconds = f"{outcome.seconds:.1f} s" if outcome else ""
    parts = [
        f'<article id="{escape(case.id)}" class="{kind}">',
        f'<header><span class="status {state.status}">{state.status}</span><h2>{escape(case.id)}</h2>'
        f'<span class="soft">{escape(case.notebook.stem)} {seconds}</span></header>',
    ]
    if case.about:
        parts.append(f"<p>{escape(case.about)}</p>")
    if state.why:
        parts.append(f'<ul class="why">{"".join(f"<li>{escape(line)}</li>" for line in state.why)}</ul>')
    folder = out / "runs" / case.id
    pictures = [d for d in state.differences if d.picture]
    if pictures:
        parts.append(f'<div class="pictures">{"".join(_pair(d, folder, expected / case.id) for d in pictures)}</div>')
    metrics = [d for d in state.differences if not d.picture]
    if metrics:
        moved, alike = ([d for d in metrics if d.good == good] for good in (False, True))
        if moved:
            parts.append(_table(moved))
        if alike:
            parts.append(f"<details><summary>{len(alike)} as expected</summary>{_table(alike)}</details>")
    if case.fails and state.status == "passed":
        parts.append(f'<p class="soft">It failed, as it should: {escape(outcome.why if outcome else "")}</p>')
    links = [("notebook.html", "the notebook as it ran"), ("executed.ipynb", "to open in Jupyter"), ("log.txt", "log")]
    there = [f'<a href="runs/{escape(case.id)}/{name}">{words}</a>' for name, words in links if (folder / name).is_file()]
    if there:
        parts.append(f"<nav>{''.join(there)}</nav>")
    return "\n".join([*parts, "</article>"])


def _table(metrics: Iterable[Difference]) -> str:
    rows = "".join(
        f'<tr class="{"" if d.good else "bad"}">{"".join(f"<td>{escape(said(value))}</td>" for value in (d.name, d.expected, d.got))}</tr>'
        for d in metrics
    )
    return f'<div class="wide"><table><tr><th>metric</th><th>expected</th><th>got</th></tr>{rows}</table></div>'


def _pair(difference: Difference, folder: Path, expected: Path) -> str:
    places = (("expected", expected / difference.picture), ("now", folder / "pictures" / difference.picture))
    shown = "".join(
        f'<img alt="{escape(difference.name)}, {words}" title="{words}" src="{_inline(path)}">'
        for words, path in places
        if path.is_file()
    )
    words = f"{difference.name}: expected, now · {difference.got}, {difference.expected}"
    return f'<figure class="{"" if difference.good else "bad"}">{shown}<figcaption>{escape(words)}</figcaption></figure>'


def _inline(path: Path) -> str:
    """The JPEG in ``path`` as an address that is the picture itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
