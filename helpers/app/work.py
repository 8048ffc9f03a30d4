"""What a worker process does: each task is plain data, reads and writes files in the folders that it is given, and answers plain data.

Images are uint8 (H, W, 3) RGB, masks bool (H, W), points (x, y, label) in pixels of the person's picture as it lies in its file.
"""

from __future__ import annotations

import time
import unicodedata
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from helpers import Person, annotate, engines, generate, images, load_garment, product, propriety, segment, try_on, weights
from helpers.app.settings import LARGEST_PICTURE
from helpers.app.words import say
from helpers.files import write_whole
from helpers.person import load_person

NEEDS = ("keypoints", "labels", "densepose", "hands", "face", "matte")
"""What is asked of a person once, for the mask, the clicks and the try-on."""
_SIZE = (768, 1024)  # width, height at which people are looked at
_GARMENT = (480, 640)  # of one that is drawn
_KEPT = 12  # people that a worker remembers, some 15 MB each
_LEVEL = 3  # of a PNG's compression: a fifth larger than the smallest, in a third of the time


class Cancelled(Exception):
    """Nobody waits for it any more."""


class Told(Exception):
    """What went wrong, in words for whoever asked: the key of a text."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(say(key, **values))
        self.key = key


Tell = Callable[[str, int, int], None]
"""Called with what is done now (the key of a text) and how many steps of how many; raises ``Cancelled``."""
_people: OrderedDict[str, Person] = OrderedDict()


def read(*, source: str, target: str, pixels: int, alpha: bool) -> dict[str, Any]:
    """Decode the file ``source`` and write its picture anew at ``target`` + suffix: upright, sRGB, at most 1152x1536, nothing else in it.

    pixels: the most that is decoded; alpha: whether transparency is kept, as a garment's mask
    """
    from helpers.reading import _formats  # those that are read here

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=list(_formats())) as opened:
                width, height = opened.size
    except Exception:  # what it is instead, the reading says better
        width = height = 0
    if width * height > pixels:
        raise Told("error.pixels", size=f"{width}x{height}", most=pixels // 10**6)
    try:
        picture = images.read_image(source, "picture")
        mask = images.read_alpha(source, "picture") if alpha else None
    except (ValueError, FileNotFoundError) as error:
        why = str(error).replace(f"picture: {source}", say("error.this")).replace(source, say("error.this"))
        raise Told("error.picture", why=why) from None
    size = images.fit_inside((picture.shape[1], picture.shape[0]), LARGEST_PICTURE)
    if size != (picture.shape[1], picture.shape[0]):
        picture = images.resize(picture, size)
        mask = None if mask is None else images.resize(mask, size)
    if mask is None or not mask.any():
        path = images.write_image(f"{target}.jpg", picture)
    else:
        path = images.write_image(f"{target}.png", np.dstack([picture, mask.astype(np.uint8) * 255]))
    return {"path": str(path), "width": size[0], "height": size[1]}


def mask(*, person: str, category: str, points: list, target: str, tell: Tell) -> dict[str, Any]:
    """The mask of what is worn of ``category``, corrected by ``points``, as a PNG at ``target`` in the picture's own size."""
    tell("doing.looking", 0, 0)
    seen, size = _known(person)
    small = seen.image.shape[1::-1]
    scale = small[0] / size[0], small[1] / size[1]
    clicks = [(min(x * scale[0], small[0] - 1), min(y * scale[1], small[1] - 1), int(label)) for x, y, label in points]
    named = seen.worn(category)
    tell("doing.masking", 0, 0)
    if named is not None and named.any():
        found = segment(seen, clicks, garment=category)
    elif clicks and clicks[0][2] == 1:
        found = segment(seen.image if seen.labels is None else seen, clicks)
    else:
        raise Told("error.notworn" if seen.labels is not None else "error.nobody", category=say(f"category.{category}").lower())
    if not found.any():
        raise Told("error.emptymask")
    images.write_mask(target, images.resize(found, size))
    return {"path": target, "width": size[0], "height": size[1], "share": round(float(found.mean()), 4)}


def wear(
    *, person: str, garment: str, category: str, name: str, mask: str, engine: str, seed: int, target: str, tell: Tell
) -> dict[str, Any]:
    """``garment`` on ``person``, as a PNG at ``target`` with how it came about in its text fields."""
    started = time.perf_counter()
    tell("doing.looking", 0, 0)
    seen, size = _known(person)
    cloth = replace(load_garment(garment, category), name=name or "garment")
    record = engines.find("try_on", engine)
    settings: dict[str, Any] = {}
    if record.steps:
        settings["on_step"] = lambda step, total, preview: tell("doing.wearing", step, total)
    whole = load_person(person) if record.frames or seen.image.shape[1::-1] != size else seen
    worn = images.read_mask(mask, "mask") if mask else None
    tell("doing.wearing", 0, 0)
    if worn is None and not record.frames and not ((told := seen.worn(category)) is not None and told.any()):
        raise Told("error.notworn" if seen.labels is not None else "error.nobody", category=say(f"category.{category}").lower())
    if record.frames:
        result = try_on(whole, cloth, mask=worn, engine=engine, seed=seed, **settings)
    else:
        small = seen.image.shape[1::-1]
        worn = None if worn is None else images.resize(worn, small)
        result = try_on(seen, cloth, mask=worn, engine=engine, seed=seed, **settings).at_size_of(whole.image)
    tell("doing.writing", 0, 0)
    licence = result.licence or record.licence
    about = {
        "engine": result.engine,
        "seed": seed,
        "licence": licence,
        "commercial": record.commercial,
        "garment": name,
        "notes": list(result.notes),
        "confidence": None if result.confidence is None else round(float(result.confidence), 3),
        "credits": result.credits,
        "seconds": round(time.perf_counter() - started, 2),
    }
    write_png(target, result.image, about)
    return {"path": target, "width": size[0], "height": size[1], **about}


def write_png(path: str, picture: np.ndarray, about: dict[str, Any]) -> None:
    """``picture`` as a PNG that says in its text fields how it came about, and that nobody wore this."""
    fields = PngImagePlugin.PngInfo()
    told = {
        "Title": about["garment"],
        "Software": "Atelier",
        "Engine": about["engine"],
        "Seed": about["seed"],
        "Licence": about["licence"],
        "Credits": about["credits"],
        "Comment": " ".join(about["notes"]),
        "Disclaimer": say("result.disclaimer"),
    }
    for key, value in told.items():
        fields.add_itxt(key, str(value))
    write_whole(path, lambda part: Image.fromarray(picture).save(part, "PNG", pnginfo=fields, compress_level=_LEVEL))


def draw(*, words: str, seed: int, target: str, tell: Tell) -> dict[str, Any]:
    """Somebody from words, as a JPEG at ``target``."""
    tell("doing.drawing", 0, 0)
    person = generate(harmless(words), seed=seed)
    images.write_image(target, person.image)
    height, width = person.image.shape[:2]
    left = [*person.scene.get("outfit", {}).get("unknown", ()), *person.scene.get("not read", ())]
    return {"path": target, "width": width, "height": height, "notes": [_left(left)] if left else []}


def sew(*, words: str, seed: int, folder: str, name: str, tell: Tell) -> dict[str, Any]:
    """A garment from words, saved as ``name`` in ``folder``: picture, mask and inside."""
    tell("doing.sewing", 0, 0)
    words = harmless(words)
    propriety.judge(words, "words")
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        garment = product(words, seed=seed, size=_GARMENT)
    path = garment.save(folder, name)
    notes = [str(remark.message).replace(repr(words), words) for remark in remarks if remark.category is UserWarning]
    return {"path": str(path), "width": _GARMENT[0], "height": _GARMENT[1], "category": garment.category, "notes": notes}


def harmless(words: str) -> str:
    """``words`` without the signs by which the mannequin's grammar names a file to print on cloth: quotation marks and colons."""
    plain = unicodedata.normalize("NFKC", words)
    kept = "".join(c if c.isalnum() or c in " ,.'’#%&/-" or unicodedata.category(c)[0] == "M" else " " for c in plain)
    if not kept.strip():
        raise Told("error.nowords")
    return " ".join(kept.split())


def _left(words: list[str]) -> str:
    return say("note.unknown", words=", ".join(words))


def forget(*, folder: str) -> dict[str, Any]:
    """Remember nobody of that folder."""
    for path in [path for path in _people if path.startswith(folder)]:
        del _people[path]
    return {}


def warm(*, person: str, garment: str, category: str) -> dict[str, Any]:
    """Load what the first try-on will need, by doing one; the engines that are here, the one that ``auto`` takes first."""
    try:
        seen, _ = _known(person)
        worn = segment(seen, [(seen.image.shape[1] / 2, seen.image.shape[0] * 0.35, 1)], garment=category)
        try_on(seen, load_garment(garment, category), mask=worn, engine="drape")
    except (ValueError, weights.Missing):  # nothing here looks at people: whoever asks is told then
        pass
    chosen = engines.find("try_on")
    there = [engines.find("try_on", name) for name in engines.names("try_on")]
    ready = [record for record in there if record.here() is not None and _runs(record.name)]
    return {
        "engines": [
            {"name": record.name, "summary": record.summary, "licence": record.licence, "commercial": record.commercial}
            for record in sorted(ready, key=lambda record: record.name != chosen.name)
        ]
    }


def _runs(name: str) -> bool:
    try:
        engines.ready("try_on", name)
    except (ImportError, FileNotFoundError, ValueError):
        return False
    return True


def _known(path: str) -> tuple[Person, tuple[int, int]]:
    """The person in the picture at ``path``, at working size and with what can be told of them, and the (width, height) of the picture."""
    picture = images.read_image(path, "person")
    size = picture.shape[1], picture.shape[0]
    if path not in _people:
        small = Person(images.resize(picture, images.fit_inside(size, _SIZE)))
        try:
            small = annotate(small, needs=NEEDS)
        except weights.Damaged:
            raise
        except (weights.Missing, ImportError):  # nothing here looks at people: clicks alone
            pass
        except ValueError as error:
            raise Told("error.nobody") from error
        _people[path] = small
        while len(_people) > _KEPT:
            _people.popitem(last=False)
    _people.move_to_end(path)
    return _people[path], size


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "mask": mask, "wear": wear, "draw": draw, "sew": sew, "forget": forget, "warm": warm, "read": read,
}  # fmt: skip
"""What may be asked for, by name."""
