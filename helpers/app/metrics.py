"""Counts and seconds of the room in Prometheus' text format. Nothing in them is about a person or a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

_BUCKETS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Metrics:
    """``count`` what happens, ``took`` how long; :meth:`text` is what a scraper reads."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[tuple[tuple[str, str], ...], int]] = defaultdict(lambda: defaultdict(int))
        self._seconds: dict[str, dict[tuple[tuple[str, str], ...], list[float]]] = defaultdict(dict)

    def count(self, name: str, **labels: str) -> None:
        """One more of ``name``."""
        self._counts[name][tuple(sorted(labels.items()))] += 1

    def counted(self, name: str, **labels: str) -> int:
        """How many there were so far, of all labels that include these."""
        wanted = set(labels.items())
        return sum(number for key, number in self._counts[name].items() if wanted <= set(key))

    def took(self, name: str, seconds: float, **labels: str) -> None:
        """Another of ``name``, which took so long."""
        row = self._seconds[name].setdefault(tuple(sorted(labels.items())), [0.0] * (len(_BUCKETS) + 2))
        for place, most in enumerate(_BUCKETS):
            row[place] += seconds <= most
        row[-2] += 1
        row[-1] += seconds

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything, with ``gauges`` as they stand now."""
        lines = []
        for name, value in gauges.items():
            lines += [f"# TYPE atelier_{name} gauge", f"atelier_{name} {value:g}"]
        for name, counts in self._counts.items():
            lines.append(f"# TYPE atelier_{name}_total counter")
            lines += [f"atelier_{name}_total{_labels(key)} {number}" for key, number in counts.items()]
        for name, rows in self._seconds.items():
            lines.append(f"# TYPE atelier_{name}_seconds histogram")
            for key, row in rows.items():
                for place, most in enumerate(_BUCKETS):
                    lines.append(f"atelier_{name}_seconds_bucket{_labels((*key, ('le', f'{most:g}')))} {row[place]:g}")
                lines.append(f"atelier_{name}_seconds_bucket{_labels((*key, ('le', '+Inf')))} {row[-2]:g}")
                lines += [f"atelier_{name}_seconds_count{_labels(key)} {row[-2]:g}"]
                lines += [f"atelier_{name}_seconds_sum{_labels(key)} {row[-1]:.3f}"]
        return "\n".join(lines) + "\n"


def _labels(key: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in key) + "}" if key else ""
