"""Figures for the notebooks: grids and strips of pictures, overlays, clicks, skeletons, label maps, tables.

Functions named after a thing (``overlay``, ``skeleton``, …) return uint8 (H, W, 3) RGB arrays; ``grid``, ``strip`` and ``curves``
return a figure that a notebook shows when it ends a cell and ``Run.show`` writes and displays.
"""

from __future__ import annotations

import html
import io
import re
import struct
import textwrap
import time
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import cv2
import matplotlib
import numpy as np
from IPython.display import HTML, Image, display
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.images import fit_inside, png, resize
from helpers.labels import BODY_25_BONES, CIHP, CIHP_PALETTE, DENSEPOSE_PARTS
from helpers.person import Person

MASK_COLOUR = (30, 144, 255)
_POSITIVE, _NEGATIVE = (34, 160, 74), (214, 48, 49)
_INK, _MUTED = "#222222", "#777777"
_WIDEST = 11.0  # inches; a notebook shows no more, and would shrink the letters of a wider figure
_CSS = 100  # pixels of the page to an inch of a figure
_LONGEST = 300  # characters of a title or a caption
_SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "IPAexGothic", "Hiragino Sans", "PingFang SC", "Yu Gothic",
    "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "WenQuanYi Zen Hei", "Noto Sans Devanagari", "Nirmala UI", "Noto Sans Thai",
    "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Hebrew", "Noto Sans Arabic", "Noto Emoji", "Segoe UI Emoji", "Segoe UI Symbol",
    "Symbola",
)  # fmt: skip
"""Fonts for letters that matplotlib's own does not have, on one system or another."""


class Picture(Figure):
    """A figure that shows itself in any notebook, with or without pyplot's inline backend."""

    DPI = 160
    """Pixels to an inch, in files and on the page: sharp on dense screens too."""

    def png(self) -> bytes:
        """The figure as a PNG file, its margins cut."""
        FigureCanvasAgg(self)
        buffer = io.BytesIO()
        with _as_written():
            self.savefig(buffer, format="png", dpi=self.DPI, bbox_inches="tight", facecolor="white")
        return buffer.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        data = self.png()
        width, height = struct.unpack(">II", data[16:24])  # of the PNG header
        return data, {"width": round(width * _CSS / self.DPI), "height": round(height * _CSS / self.DPI)}


@contextmanager
def _as_written() -> Iterator[None]:
    """Text is shown as it is written: two ``$`` are no formula, other scripts come from a font that is here, or as a box without a word."""
    settings: Any = {"text.parse_math": False, "text.usetex": False, "font.family": list(_families())}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        warnings.filterwarnings("ignore", r"Matplotlib currently does not support|Tight layout not applied", UserWarning)
        yield


@cache
def _families() -> tuple[str, ...]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _SCRIPTS if name in there))


def plain(text: object) -> str:
    """``text`` in one line, without what steers a console or turns the direction of writing; half a letter becomes ``\\ufffd``."""

    def shown(letter: str) -> str:
        kind = unicodedata.category(letter)
        return {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "" if letter not in "\u200c\u200d" else letter, "Cs": "\ufffd"}.get(
            kind, letter
        )

    return "".join(map(shown, str(text)))


def _wrapped(text: object, letters: int) -> str:
    """``text`` in lines of about ``letters``, of which a letter of the far east takes two; what is too long ends in an ellipsis."""
    line = " ".join(plain(text).split())
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
    return textwrap.fill(line, max(4, round(letters * len(line) / (len(line) + wide)))) if line else ""


def grid(
    pictures: Mapping[str, np.ndarray] | Sequence[tuple[str, np.ndarray]],
    *,
    columns: int = 4,
    height: float = 4.2,
    title: str = "",
    captions: Sequence[str] = (),
) -> Picture | None:
    """Titled pictures in rows of ``columns``, each ``height`` inches high, or less where the row would be wider than a page.

    ``captions`` go below them in small grey letters; titles and captions are wrapped. ``None`` where there is nothing to show.
    """
    items = list(pictures.items()) if isinstance(pictures, Mapping) else list(pictures)
    if not items:
        return None
    columns = min(columns, len(items))
    rows = -(-len(items) // columns)
    aspect = max(p.shape[1] / p.shape[0] for _, p in items)
    height = min(height, (_WIDEST / columns - 0.12) / aspect)
    titles = [_wrapped(name, max(10, int(height * aspect * 12))) for name, _ in items]
    texts = [_wrapped(text, max(16, int(height * aspect * 15))) for text in captions]
    title = _wrapped(title, max(16, int(columns * height * aspect * 10)))
    extra = 0.28 + 0.18 * max(_lines(titles), 1) + 0.16 * _lines(texts)
    with _as_written():
        figure = Picture(
            figsize=(
                columns * (height * aspect + 0.12),
                rows * (height + extra) + (0.2 + 0.2 * _lines([title]) if title else 0),
            )
        )
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for index, (axis, (_, picture)) in enumerate(zip(axes.flat, items, strict=False)):
            small = _for_screen(picture, height)
            axis.imshow(small, cmap="gray" if small.ndim == 2 else None, interpolation="lanczos")
            axis.set_anchor("N")  # pictures of different shapes begin, and have their titles, at one height
            axis.set_title(titles[index], fontsize=10, color=_INK, pad=5)
            if index < len(texts):
                axis.text(0.5, -0.015, texts[index], transform=axis.transAxes, ha="center", va="top", fontsize=8, color=_MUTED)
        if title:
            figure.suptitle(title, fontsize=12, color=_INK)
        figure.tight_layout(pad=0.3, w_pad=0.5, h_pad=2.0)
        return figure


def strip(pictures: Mapping[str, np.ndarray] | Sequence[tuple[str, np.ndarray]], **options: Any) -> Picture | None:
    """Titled pictures in one row; options as in :func:`grid`."""
    return grid(pictures, columns=max(1, len(pictures)), **options)


def strips(rows: Sequence[Sequence[tuple[str, np.ndarray]]], **options: Any) -> Picture | None:
    """Rows of titled pictures one below the other; a shorter one ends early. Options as in :func:`grid`."""
    longest = max(map(len, rows), default=1)
    nothing = ("", np.full((4, 3, 3), 255, np.uint8))
    return grid([picture for row in rows for picture in (*row, *[nothing] * (longest - len(row)))], columns=longest, **options)


def curves(series: Mapping[str, Sequence[float]], *, x: str, y: str, start: int = 1) -> Picture | None:
    """Lines over 1, 2, 3, …: for instance IoU over the number of clicks. ``None`` where there are none."""
    if not series:
        return None
    with _as_written():
        figure = Picture(figsize=(5.2, 3.0))
        axis = figure.subplots()
        for name, values in series.items():
            axis.plot(range(start, start + len(values)), values, marker="o", markersize=4, label=_legend(name))
        axis.set_xlabel(_wrapped(x, 60), color=_INK)
        axis.set_ylabel(_wrapped(y, 40), color=_INK)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axis.legend(frameon=False, fontsize=9)
        figure.tight_layout()
        return figure


def _legend(name: object) -> str:
    """``name`` for a legend, which leaves out what is empty or begins with an underscore."""
    text = _wrapped(name, 40)
    return f" {text}" if text[:1] in ("", "_") else text


def overlay(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = MASK_COLOUR, alpha: float = 0.5) -> np.ndarray:
    """``image`` with ``mask`` tinted and outlined."""
    out = image.copy()
    for channel, tint in enumerate(colour):  # looked up, for a large photograph in floats would fill the memory
        table = np.rint(np.arange(256) * (1 - alpha) + tint * alpha).astype(np.uint8)
        out[mask, channel] = table[image[mask, channel]]
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(out, outlines, -1, colour, _pen(image), cv2.LINE_AA)


def clicks(image: np.ndarray, points: Sequence[tuple[float, float, int]]) -> np.ndarray:
    """``image`` with its clicks: green on the garment, red off it, numbered in order."""
    out = image.copy()
    radius = max(5, round(max(image.shape[:2]) / 85))
    for number, (x, y, label) in enumerate(points, 1):
        centre = round(x), round(y)
        cv2.circle(out, centre, radius + 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(out, centre, radius, _POSITIVE if label else _NEGATIVE, -1, cv2.LINE_AA)
        text, scale = str(number), radius / 16
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
        at = centre[0] - width // 2, centre[1] + height // 2
        cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2, cv2.LINE_AA)
    return out


def skeleton(image: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """``image`` dimmed, with BODY_25 ``keypoints`` (25, 3) and the bones between those that were seen, each in a colour of its own."""
    out = (np.arange(256) * 0.55).astype(np.uint8)[image]
    colours = (matplotlib.colormaps["hsv"](np.linspace(0, 1, len(BODY_25_BONES), endpoint=False))[:, :3] * 255).astype(int)
    pen = 2 * _pen(image)
    for (a, b), colour in zip(BODY_25_BONES, colours, strict=True):
        if keypoints[a, 2] > 0 and keypoints[b, 2] > 0:
            start, end = np.rint(keypoints[[a, b], :2]).astype(int).tolist()
            cv2.line(out, start, end, colour.tolist(), pen, cv2.LINE_AA)
    for x, y, confidence in keypoints:
        if confidence > 0:
            cv2.circle(out, (round(float(x)), round(float(y))), pen + 1, (255, 255, 255), -1, cv2.LINE_AA)
    return out


def parse(labels: np.ndarray) -> np.ndarray:
    """A CIHP label map in the colours of CIHP_PGN."""
    return CIHP_PALETTE[labels]


def parse_names(labels: np.ndarray) -> str:
    """The classes of a CIHP label map, largest first."""
    found, counts = np.unique(labels[labels > 0], return_counts=True)
    return ", ".join(CIHP[i] for i in found[np.argsort(-counts)])


def depth(values: np.ndarray) -> np.ndarray:
    """Metres -> grey, near is light; background black."""
    seen = values > 0
    out = np.zeros(values.shape, np.uint8)
    if seen.any():
        near, far = np.percentile(values[seen], (0.5, 99.5))
        out[seen] = np.clip(60 + 195 * (far - values[seen]) / max(far - near, 1e-6), 40, 255)
    return np.repeat(out[..., None], 3, 2)


def normals(values: np.ndarray) -> np.ndarray:
    """Unit normals -> the usual lilac picture; background black."""
    seen = np.abs(values).sum(2, keepdims=True) > 0
    return np.where(seen, np.clip(values * 127.5 + 127.5, 0, 255), 0).astype(np.uint8)


def iuv(values: np.ndarray) -> np.ndarray:
    """Body parts in distinct colours, shaded by U and V so that the coordinates can be seen."""
    hues = np.linspace(0, 1, len(DENSEPOSE_PARTS) - 1, endpoint=False) * 7 % 1
    table = np.vstack([np.zeros((1, 3)), matplotlib.colormaps["hsv"](hues)[:, :3]])
    u, v = values[..., 1:2] / 255.0, values[..., 2:3] / 255.0
    shade = 0.55 + 0.45 * (0.5 * u + 0.5 * v)
    lines = ((np.abs(u * 8 % 1 - 0.5) > 0.44) | (np.abs(v * 8 % 1 - 0.5) > 0.44)) & (values[..., :1] > 0)
    return np.clip(table[values[..., 0]] * shade * np.where(lines, 0.6, 1.0) * 255, 0, 255).astype(np.uint8)


def annotated(person: Person) -> dict[str, np.ndarray]:
    """Pictures of the annotations that ``person`` has, by what they are; empty for a photograph."""
    have: dict[str, tuple[np.ndarray | None, Callable[[np.ndarray], np.ndarray]]] = {
        "keypoints (BODY_25)": (person.keypoints, lambda points: skeleton(person.image, points)),
        "hands and face": (_hands_and_face(person), lambda points: dots(person.image, points)),
        "matte": (person.matte, lambda matte: np.rint(matte * 255).astype(np.uint8)),
        "parsing (CIHP)": (person.labels, parse),
        "body parts, U and V": (person.densepose, iuv),
        "depth": (person.depth, depth),
        "normals": (person.normals, normals),
    }
    return {name: picture(value) for name, (value, picture) in have.items() if value is not None}


def _hands_and_face(person: Person) -> np.ndarray | None:
    """(N, 3) x, y, confidence of both, ``None`` where neither is known."""
    known = [points.reshape(-1, 3) for points in (person.hands, person.face) if points is not None]
    return np.concatenate(known) if known else None


def dots(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``image`` dimmed, with a dot on each of ``points`` (N, 3), x, y, confidence, that was seen."""
    out = (image * 0.55).astype(np.uint8)
    for x, y, confidence in points:
        if confidence > 0:
            cv2.circle(out, (round(float(x)), round(float(y))), _pen(image), (120, 230, 255), -1, cv2.LINE_AA)
    return out


def on_backdrops(picture: np.ndarray) -> dict[str, np.ndarray]:
    """A cut-out, uint8 (H, W, 4) RGBA, laid on several backdrops, where a rim of the old one would show, and its opacity."""
    opacity = picture[..., 3:].astype(np.float32) / 255
    backdrops = {"on white": (255, 255, 255), "on teal": (0, 98, 102), "on black": (0, 0, 0)}
    laid = {
        name: np.rint(picture[..., :3] * opacity + np.array(colour, np.float32) * (1 - opacity)).astype(np.uint8)
        for name, colour in backdrops.items()
    }
    return {**laid, "opacity": picture[..., 3]}


def cut_out(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``image`` inside ``mask`` on a fine checkerboard."""
    side = max(6, mask.shape[0] // 96)
    rows, columns = (np.arange(length) // side % 2 == 0 for length in mask.shape)
    board = np.where(rows[:, None] == columns, np.uint8(236), np.uint8(252))
    return np.where(mask[..., None], image, board[..., None])


def progress(items: Iterable[Any], what: str) -> Iterator[Any]:
    """Each of ``items`` in turn, with a line below the cell that says how far it is: ``people: 2 of 5 · 3 s``."""
    items, started = list(items), time.perf_counter()
    line = display(_Line(f"{what}: 0 of {len(items)}"), display_id=True) if items else None
    for number, item in enumerate(items, 1):
        yield item
        if line is not None:  # outside a notebook there is nowhere to show it
            line.update(_Line(f"{what}: {number} of {len(items)} · {time.perf_counter() - started:.0f} s"))


class _Line(str):
    """Text that a notebook shows without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@contextmanager
def forming(steps: bool) -> Iterator[dict[str, Any]]:
    """Settings of a drawing in ``steps`` by which the picture is shown forming below the cell, with a bar above it, until it is done.

    Without ``steps`` there are none.
    """
    if not steps:
        yield {}
        return
    handle = display(HTML(""), display_id=True)

    def on_step(step: int, total: int, preview: np.ndarray | None) -> None:
        if handle is not None and preview is not None:  # outside a notebook there is nowhere to show it
            handle.update(Image(png(resize(preview, (3 * preview.shape[1], 3 * preview.shape[0]))), format="png"))

    try:
        yield {"on_step": on_step, "progress": True}
    finally:
        if handle is not None:
            handle.update(HTML(""))


def some(words: Sequence[str], most: int = 16) -> str:
    """``words`` in a line, or where there are more than ``most`` an even choice of them and how many there are."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:: -(-len(words) // most)])} … ({len(words)} in all)"


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows with the same keys as a table that notebooks show."""
    return Table(rows)


class Table:
    """Rows of equal keys; HTML in a notebook, aligned text elsewhere."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = [dict(row) for row in rows]

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{html.escape(plain(key))}</th>" for key in self._keys())
        cell = "<td style='text-align:left;vertical-align:top'>{}</td>"
        body = "".join(
            "<tr>"
            + "".join(cell.format(_swatch(row.get(key)) + _breakable(_cell(row.get(key)))) for key in self._keys())
            + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        keys = self._keys()
        lines = [[plain(key) for key in keys], *([_cell(row.get(key)) for key in keys] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(keys))]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def _keys(self) -> list[str]:
        return list(self.rows[0]) if self.rows else []


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
    return "" if value is None else plain(value)


def _breakable(text: str) -> str:
    """HTML of ``text`` that may also be broken after an underscore, so that long names leave room for the words beside them."""
    return html.escape(text).replace("_", "_<wbr>")


def _swatch(value: Any) -> str:
    """A patch of the colour that ``value`` names, empty where it is no ``#rrggbb``."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(value)):
        return ""
    return f"<span style='display:inline-block;width:0.9em;height:0.9em;background:{value};border:1px solid #999'></span> "


def _lines(texts: Sequence[str]) -> int:
    """How many lines the longest of ``texts`` has."""
    return max((text.count("\n") + 1 for text in texts if text), default=0)


def _for_screen(picture: np.ndarray, inches: float) -> np.ndarray:
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * 255
    height, width = picture.shape[:2]
    pixels = round(inches * Picture.DPI)  # no more than the figure has
    size = fit_inside((width, height), (10 * pixels, pixels))
    return picture if size == (width, height) else resize(picture, size)


def _pen(image: np.ndarray) -> int:
    return max(1, round(max(image.shape[:2]) / 512))
