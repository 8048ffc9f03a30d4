"""A person in a picture and what is known about them, saved and read in the VITON-HD folder layout."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers import checks, notes, saving
from helpers.files import slug, told, write_text
from helpers.images import read_image, read_mask, read_values, resize, write_image, write_labels, write_mask
from helpers.joints import FARTHEST, openpose_json, openpose_picture, read_joints
from helpers.labels import CATEGORY_CLASSES, CIHP, CIHP_PALETTE, DENSEPOSE_PARTS, PARTS, select

ANNOTATIONS = ("keypoints", "labels", "densepose", "depth", "normals", "mask", "landmarks", "hands", "face", "matte")
"""What may be known of a person beside the picture: the names that an engine ``gives`` and ``needs``."""
_MILLIMETRES = 1000.0
_SEEN_TOGETHER = ("landmarks", "hands", "face")
"""What MediaPipe's networks see, kept in one file."""
_POINTS: dict[str, tuple[tuple[int, ...], str]] = {
    "keypoints": ((25, 3), "x, y and confidence in BODY_25 order"),
    "landmarks": ((33, 7), "x, y, visibility, presence, and three metres in MediaPipe's order"),
    "hands": ((2, 21, 3), "x, y and confidence of a left and a right hand"),
    "face": ((468, 3), "x, y and confidence of MediaPipe's mesh"),
}
_HANDS = tuple(DENSEPOSE_PARTS.index(f"{side}-hand") for side in ("left", "right"))


@dataclass(frozen=True)
class Person:
    """A photograph or rendering of one person. Annotations are optional; a stage that lacks one says so.

    image:     uint8 (H, W, 3) RGB
    keypoints: float32 (25, 3), BODY_25 order, x, y in pixels, confidence 0..1 (0 and x = y = 0: not seen)
    labels:    uint8 (H, W), CIHP numbering
    densepose: uint8 (H, W, 3): part 0..24, U and V 0..255
    depth:     float32 (H, W), metres from the camera, 0 = background
    normals:   float32 (H, W, 3), unit, camera axes (x right, y up, z towards the camera), 0 = background
    mask:      bool (H, W), the whole person
    landmarks: float32 (33, 7), MediaPipe's order: x, y in pixels, visibility and presence 0..1, and x (right), y (down), z (away from the
               camera) in metres from the middle of the hips
    hands:     float32 (2, 21, 3), left and right, OpenPose's order: x, y in pixels, confidence 0..1 (0: not seen)
    face:      float32 (468, 3), MediaPipe's mesh: x, y in pixels, confidence 0..1 (0: not seen)
    matte:     float32 (H, W), 0..1, how much of each pixel is the person
    garments:  name -> bool (H, W), each garment as it is seen
    scene:     JSON-able: camera, outfit, seed; whatever made the picture

    Raises ``ValueError`` naming the part that is of another shape, dtype or range.
    """

    image: np.ndarray
    keypoints: np.ndarray | None = None
    labels: np.ndarray | None = None
    densepose: np.ndarray | None = None
    depth: np.ndarray | None = None
    normals: np.ndarray | None = None
    mask: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    hands: np.ndarray | None = None
    face: np.ndarray | None = None
    matte: np.ndarray | None = None
    garments: dict[str, np.ndarray] = field(default_factory=dict)
    scene: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", checks.image(self.image, "person image"))
        shape = self.image.shape[:2]
        for name in ANNOTATIONS:
            if (value := getattr(self, name)) is not None:
                _check(name, value, shape)
        checks.mapping(self.garments, "person garments")
        for name, mask in self.garments.items():
            checks.mask(mask, shape, f"person garments[{checks.called(name, 'a name in person garments')!r}]", empty=True)
        _check_scene(self.scene, "person scene")

    def missing(self, needs: Collection[str]) -> tuple[str, ...]:
        """Those of the annotations ``needs`` that are not known. Raises ``ValueError`` for a name that is none of ``ANNOTATIONS``."""
        needs = checks.names(needs, "needs", ANNOTATIONS)
        return tuple(name for name in ANNOTATIONS if name in needs and getattr(self, name) is None)

    def resized(self, size: tuple[int, int]) -> Person:
        """The same person at ``size`` (width, height): picture area-averaged or cubic, labels and IUV nearest, keypoints scaled."""
        size = checks.size(size, checks.SMALLEST, 65535)
        height, width = self.image.shape[:2]

        def nearest(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else cv2.resize(values, tuple(size), interpolation=cv2.INTER_NEAREST_EXACT)

        return Person(
            resize(self.image, size),
            **self.moved(lambda points: points * np.array([size[0] / width, size[1] / height], np.float32)),
            labels=nearest(self.labels),
            densepose=nearest(self.densepose),
            depth=nearest(self.depth),
            normals=nearest(self.normals),
            mask=None if self.mask is None else resize(self.mask, size),
            matte=None if self.matte is None else np.clip(resize(self.matte, size), 0, 1),
            garments={name: resize(mask, size) for name, mask in self.garments.items()},
            scene=self.scene,
        )

    def moved(self, place: Callable[[np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
        """The annotations that are points, by name, where ``place`` puts their x and y, (N, 2) in pixels; what is not seen stays 0."""
        out = {}
        for name in _POINTS:
            if (points := getattr(self, name)) is not None:
                out[name] = points.copy()
                seen = np.ones(points.shape[:-1], bool) if name == "landmarks" else points[..., 2] > 0
                out[name][seen, :2] = place(points[seen, :2])
        return out

    def worn(self, category: str) -> np.ndarray | None:
        """bool (H, W): what is worn of ``upper``, ``lower`` or ``dress``, which may be nothing; ``None`` where there are no labels."""
        checks.one_of(category, "category", tuple(CATEGORY_CLASSES))
        return None if self.labels is None else select(self.labels, CATEGORY_CLASSES[category])

    def part(self, name: str) -> np.ndarray | None:
        """bool (H, W): what is seen of one of ``labels.PARTS`` (``upper``, ``hair``, ``skin``, ...) or of ``hands``, which may be nothing;
        ``None`` where the labels, or for hands the body parts, are not known. Raises ``ValueError`` for another name."""
        checks.one_of(name, "part", (*PARTS, "hands"))
        if name == "hands":
            if self.densepose is None or self.labels is None:
                return None
            return np.isin(self.densepose[..., 0], _HANDS) & select(self.labels, PARTS["arms"])
        return None if self.labels is None else select(self.labels, PARTS[name])

    def known_garments(self) -> dict[str, np.ndarray]:
        """bool (H, W) by name, from the top down: ``garments`` or, without them, what the labels show above and below; may be empty."""
        upper, lower = self.worn("upper"), self.worn("lower")
        found = self.garments or {name: mask for name, mask in (("upper", upper), ("lower", lower)) if mask is not None}
        seen = [(name, mask) for name, mask in found.items() if mask.any()]
        return dict(sorted(seen, key=lambda item: int(item[1].any(1).argmax())))

    def save(self, folder: str | Path, name: str = "person") -> Path:
        """Write the picture and every annotation under ``folder`` in the VITON-HD layout, all or none; returns the picture's path.

        ``image/NAME.jpg``, ``image-parse-v3/NAME.png``, ``openpose_json/NAME_keypoints.json``, ``openpose_img/NAME_rendered.png``,
        ``image-densepose/NAME.jpg``; and, beyond that layout, ``lossless/NAME.png`` (the picture), ``densepose-iuv``, ``depth`` (16-bit
        millimetres), ``normals``, ``person-mask``, ``matte``, ``landmarks/NAME.json`` (with hands and face),
        ``garment-mask/NAME/GARMENT.png``, ``scene/NAME.json`` and, in ``saved/person/NAME.json``, which files these are. A ``name`` of
        several words becomes one (:func:`helpers.files.slug`); a person saved before under the same words is replaced. Raises ``OSError``
        or ``ValueError`` naming the file that cannot be written; the former person is then whole.
        """
        with saving.save(folder, "person", name) as save:
            self.write(save)
        return save.folder / "image" / f"{save.name}.jpg"

    def write(self, save: saving.Draft, *, lossless: bool = True) -> None:
        """Write the files of :meth:`save`, with or without the picture's exact pixels, as part of a save that holds others too."""
        name = save.name
        write_image(save.file("image", f"{name}.jpg"), self.image)
        if lossless:
            write_image(save.file("lossless", f"{name}.png"), self.image)
        if self.keypoints is not None:
            openpose = openpose_json(self.keypoints, self.hands)
            write_text(save.file("openpose_json", f"{name}_keypoints.json"), json.dumps(openpose))
            size = self.image.shape[1], self.image.shape[0]
            write_image(save.file("openpose_img", f"{name}_rendered.png"), openpose_picture(self.keypoints, size))
        if self.labels is not None:
            write_labels(save.file("image-parse-v3", f"{name}.png"), self.labels, CIHP_PALETTE)
        if self.densepose is not None:
            write_image(save.file("image-densepose", f"{name}.jpg"), densepose_picture(self.densepose))
            write_image(save.file("densepose-iuv", f"{name}.png"), self.densepose)
        if self.depth is not None:
            millimetres = np.clip(np.rint(self.depth * _MILLIMETRES), 0, 65535).astype(np.uint16)
            write_image(save.file("depth", f"{name}.png"), millimetres)
        if self.normals is not None:
            write_image(save.file("normals", f"{name}.png"), np.rint(self.normals * 127 + 128).astype(np.uint8))
        if self.mask is not None:
            write_mask(save.file("person-mask", f"{name}.png"), self.mask)
        if self.matte is not None:
            write_image(save.file("matte", f"{name}.png"), np.rint(self.matte * 255).astype(np.uint8))
        seen = {part: getattr(self, part) for part in _SEEN_TOGETHER if getattr(self, part) is not None}
        if seen:
            note = {part: np.round(points.astype(float), 4).tolist() for part, points in seen.items()}
            write_text(save.file("landmarks", f"{name}.json"), json.dumps(note))
        stems: list[str] = []
        for garment, mask in self.garments.items():
            stems.append(slug(garment, stems))
            write_mask(save.file("garment-mask", name, f"{stems[-1]}.png", words=garment), mask)
        if self.scene:
            write_text(save.file("scene", f"{name}.json"), json.dumps(self.scene, indent=1))


def _check(name: str, value: object, shape: tuple[int, int], called: str = "") -> None:
    """Raises ``ValueError`` for an annotation that is not what :class:`Person` says of it, naming it as ``called``."""
    called = called or f"person {name}"
    if name == "mask":
        checks.mask(value, shape, called, empty=True)
    elif name == "labels":
        checks.values(value, shape, called, "CIHP labels", 0, len(CIHP) - 1, "uint8")
    elif name == "densepose":
        iuv = checks.values(value, (*shape, 3), called, "part, U and V", 0, 255, "uint8")
        checks.values(iuv[..., 0], shape, called, "parts", 0, 24, "uint8")
    elif name == "depth":
        checks.values(value, shape, called, "metres", 0, FARTHEST)
    elif name == "normals":
        checks.values(value, (*shape, 3), called, "unit vectors", -1.01, 1.01)
    elif name == "matte":
        checks.values(value, shape, called, "shares of a pixel", 0, 1)
    else:
        points, what = _POINTS[name]
        rows = checks.values(value, points, called, what, -FARTHEST, FARTHEST)
        checks.values(rows[..., 2], points[:-1], called, "confidences", 0, 1)


def _check_scene(scene: object, called: str) -> None:
    """Raises ``ValueError`` for a scene that JSON does not hold, or in which a part that is read later is of another kind."""
    scene = checks.mapping(scene, called)
    notes.require_plain(scene, called)
    outfit, made = scene.get("outfit", {}), scene.get("annotations", ())
    if not isinstance(outfit, dict) or not _are_texts(outfit.get("unknown", [])):
        raise ValueError(f"{called}['outfit'] must be a dict whose 'unknown' are words, not {checks.shown(outfit)}.")
    if not isinstance(made, list | tuple) or not all(isinstance(m, dict) and isinstance(m.get("licence"), str) for m in made):
        raise ValueError(f"{called}['annotations'] must be a list of dicts that name a licence, not {checks.shown(made)}.")
    listed = [m.get(name, []) for m in made for name in ("made", "derived")]
    if not all(isinstance(m.get("engine", ""), str) for m in made) or not all(map(_are_texts, listed)):
        raise ValueError(
            f"{called}['annotations'] must say in words who ('engine') made ('made') what, not {checks.shown(made)}."
        )
    if not _are_texts(scene.get("not read", [])):
        raise ValueError(f"{called}['not read'] must be a list of words, not {checks.shown(scene['not read'])}.")
    checks.whole(scene.get("people", 0), f"{called}['people']", 0)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)


_PLACES: dict[str, tuple[str, ...]] = {
    "keypoints": ("openpose_json/{}_keypoints.json", "openpose-json/{}_keypoints.json", "pose/{}_keypoints.json"),
    "labels": ("image-parse-v3/{}.png", "image-parse/{}.png"),
    "densepose": ("densepose-iuv/{}.png",),
    "depth": ("depth/{}.png",),
    "normals": ("normals/{}.png",),
    "mask": ("person-mask/{}.png",),
    "matte": ("matte/{}.png",),
}


def load_person(path: str | Path) -> Person:
    """A person from a picture file, with the annotations of a VITON-HD folder where the file lies in one.

    ``path``: any photograph, or ``…/image/NAME.jpg`` of a data set (folder names of VITON, VITON-HD, HR-VITON and this suite are known;
    joints in any of the orders that ``read_joints`` knows). Of a
    person that :meth:`Person.save` left exactly the files of that save are read, and in other folders those of the same name.
    Raises ``FileNotFoundError`` or ``ValueError`` that name ``person`` or the annotation, the file, and what to do.
    """
    path = checks.path(path, "person")
    if path.parent.name != "image":
        return Person(read_image(path, "person"))
    root, name = path.parent.parent, path.stem
    with saving.saved(root, "person", name) as save:
        if save is not None and (picture := save.find(f"image/{path.name}")):
            masks = save.within(f"garment-mask/{name}")
            return _read(name, save.find(f"lossless/{name}.png") or picture, save.find, masks, save.remedy)

    image = read_image(path, "person")
    if save is not None:  # what is saved under the name is somebody else's
        return Person(image)

    def find(*candidates: str) -> Path | None:
        return next((root / c for c in candidates if os.path.lexists(root / c)), None)

    exact = find(f"lossless/{name}.png")
    if exact and not _same_picture(read_image(exact, "person"), image):
        raise ValueError(f"person: {told(exact)} shows another picture than {told(path)}. Delete the one that is not meant.")
    masks = {
        file.stem: file for file in sorted((root / "garment-mask" / name).glob("[!.]*.png"))
    }  # not the hidden ones of a Mac
    remedy = "Save the person again, or delete that file to do without it."
    person = _read(name, exact or path, find, masks, remedy)
    if person.keypoints is not None and _far_outside(person.keypoints, image.shape[1::-1]):
        file = find(*(place.format(name) for place in _PLACES["keypoints"]))
        raise ValueError(f"keypoints: {told(file or '')} is of another picture: joints lie far outside this one. {remedy}")
    return person


def _far_outside(keypoints: np.ndarray, size: tuple[int, ...]) -> bool:
    """Whether a joint that was seen lies more than a picture's (width, height) beside the picture."""
    seen = keypoints[keypoints[:, 2] > 0, :2]
    return bool((seen < -np.array(size)).any() or (seen > 2 * np.array(size)).any())


def _same_picture(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one may be the other as a JPEG keeps it."""
    return one.shape == other.shape and float(cv2.absdiff(one, other).mean()) < 12


def _read(name: str, picture: Path, find: Callable[..., Path | None], masks: Mapping[str, Path], remedy: str) -> Person:
    image = read_image(picture, "person")
    readers: dict[str, Callable[[Path], np.ndarray | None]] = {
        "keypoints": read_joints,
        "labels": partial(read_values, name="labels"),
        "densepose": partial(read_values, name="densepose", channels=3),
        "depth": _read_depth,
        "normals": _read_normals,
        "mask": partial(read_mask, name="person mask"),
        "matte": _read_matte,
    }
    found: dict[str, Any] = {"garments": {}}
    file: Path | None = None
    try:
        for part, places in _PLACES.items():
            if file := find(*(place.format(name) for place in places)):
                found[part] = readers[part](file)
                if found[part] is not None:
                    _check(part, found[part], image.shape[:2], f"{part}: {told(file)}")
        if file := find(f"landmarks/{name}.json"):
            for part, points in _read_landmarks(file).items():
                _check(part, points, image.shape[:2], f"{part}: {told(file)}")
                found[part] = points
        for garment, file in masks.items():
            found["garments"][garment] = checks.mask(
                read_mask(file, "garment mask"), image.shape[:2], f"garment mask: {told(file)}", empty=True
            )
        if file := find(f"scene/{name}.json"):
            found["scene"] = notes.read(file, "scene", "")
            _check_scene(found["scene"], f"scene: {told(file)}")
    except (ValueError, FileNotFoundError) as error:
        raise ValueError(f"{str(error).rstrip()} {remedy}") from None
    return Person(image, **found)


def _read_depth(path: Path) -> np.ndarray:
    return (read_values(path, "depth", np.uint16).astype(np.float32) / _MILLIMETRES).astype(np.float32)


def _read_normals(path: Path) -> np.ndarray:
    codes = read_values(path, "normals", channels=3)
    return np.where((codes == 128).all(2, keepdims=True), np.float32(0), (codes.astype(np.float32) - 128) / 127)


def _read_matte(path: Path) -> np.ndarray:
    return read_values(path, "matte").astype(np.float32) / 255


def _read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """What the file holds of landmarks, hands and face, as float32 arrays of their shapes."""
    note = notes.read(path, "landmarks", "")
    if not isinstance(note, dict) or not note.keys() <= {*_SEEN_TOGETHER}:
        raise ValueError(f"landmarks: {told(path)} must hold some of {', '.join(_SEEN_TOGETHER)}, and nothing else.")
    try:
        return {part: np.array(rows, np.float32) for part, rows in note.items()}
    except (ValueError, TypeError):
        raise ValueError(f"landmarks: {told(path)} holds something else than rows of numbers.") from None


def densepose_picture(densepose: np.ndarray) -> np.ndarray:
    """IUV (H, W, 3) -> the RGB picture that try-on networks read: part / 24 through OpenCV's PARULA map, black elsewhere."""
    part = densepose[..., 0]
    colours = cv2.applyColorMap((part.astype(np.float32) * (255.0 / 24.0)).astype(np.uint8), cv2.COLORMAP_PARULA)
    return np.where(part[..., None] > 0, colours[..., ::-1], 0).astype(np.uint8)
