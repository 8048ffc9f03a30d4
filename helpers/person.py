"""A person in a picture and what is known about them, saved and read in the VITON-HD folder layout."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from helpers import checks
from helpers.images import (
    read_image,
    read_mask,
    resize,
    slug,
    write_image,
    write_labels,
    write_mask,
    write_text,
)
from helpers.labels import BODY_25, BODY_25_COLOURS, BODY_25_DRAWN, CATEGORY_CLASSES, CIHP, CIHP_PALETTE, select

ANNOTATIONS = ("keypoints", "labels", "densepose", "depth", "normals", "mask")
"""What may be known of a person beside the picture: the names that an engine ``gives`` and ``needs``."""
_MILLIMETRES = 1000.0
_SEEN, _OPACITY = 0.05, 0.6  # OpenPose's own: what counts as seen, and how much of a colour covers what is below


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
    garments:  name -> bool (H, W), each garment as it is seen
    scene:     JSON-able: camera, outfit, seed; whatever made the picture
    """

    image: np.ndarray
    keypoints: np.ndarray | None = None
    labels: np.ndarray | None = None
    densepose: np.ndarray | None = None
    depth: np.ndarray | None = None
    normals: np.ndarray | None = None
    mask: np.ndarray | None = None
    garments: dict[str, np.ndarray] = field(default_factory=dict)
    scene: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.image(self.image, "person image")
        shape = self.image.shape[:2]
        if self.mask is not None:
            checks.mask(self.mask, shape, "person mask", empty=True)
        for name in ("labels", "densepose", "depth", "normals"):
            value = getattr(self, name)
            if value is not None and value.shape[:2] != shape:
                raise ValueError(f"person {name} is {value.shape[:2]} but the image is {shape} (height, width).")
        if self.keypoints is not None and self.keypoints.shape != (25, 3):
            raise ValueError(f"person keypoints must be (25, 3) in BODY_25 order, not {self.keypoints.shape}.")

    def missing(self, needs: Collection[str]) -> tuple[str, ...]:
        """Those of the annotations ``needs`` that are not known. Raises ``ValueError`` for a name that is none of ``ANNOTATIONS``."""
        if unknown := [name for name in needs if name not in ANNOTATIONS]:
            raise ValueError(f"needs names some of {', '.join(ANNOTATIONS)}, not {', '.join(map(repr, unknown))}.")
        return tuple(name for name in ANNOTATIONS if name in needs and getattr(self, name) is None)

    def resized(self, size: tuple[int, int]) -> Person:
        """The same person at ``size`` (width, height): picture area-averaged or cubic, labels and IUV nearest, keypoints scaled."""
        height, width = self.image.shape[:2]

        def nearest(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else cv2.resize(values, tuple(size), interpolation=cv2.INTER_NEAREST_EXACT)

        keypoints = None
        if self.keypoints is not None:
            keypoints = self.keypoints * np.array([size[0] / width, size[1] / height, 1], np.float32)
        return Person(
            resize(self.image, size),
            keypoints=keypoints,
            labels=nearest(self.labels),
            densepose=nearest(self.densepose),
            depth=nearest(self.depth),
            normals=nearest(self.normals),
            mask=None if self.mask is None else resize(self.mask, size),
            garments={name: resize(mask, size) for name, mask in self.garments.items()},
            scene=self.scene,
        )

    def worn(self, category: str) -> np.ndarray | None:
        """bool (H, W): what is worn of ``upper``, ``lower`` or ``dress``, which may be nothing; ``None`` where there are no labels."""
        return None if self.labels is None else select(self.labels, CATEGORY_CLASSES[category])

    def known_garments(self) -> dict[str, np.ndarray]:
        """bool (H, W) by name, from the top down: ``garments`` or, without them, what the labels show above and below; may be empty."""
        upper, lower = self.worn("upper"), self.worn("lower")
        found = self.garments or {name: mask for name, mask in (("upper", upper), ("lower", lower)) if mask is not None}
        seen = [(name, mask) for name, mask in found.items() if mask.any()]
        return dict(sorted(seen, key=lambda item: int(item[1].any(1).argmax())))

    def save(self, folder: str | Path, name: str = "person") -> Path:
        """Write the picture and every annotation under ``folder`` in the VITON-HD layout; returns the picture's path.

        ``image/NAME.jpg``, ``image-parse-v3/NAME.png``, ``openpose_json/NAME_keypoints.json``, ``openpose_img/NAME_rendered.png``,
        ``image-densepose/NAME.jpg``; and, beyond that layout, ``lossless/NAME.png`` (the picture), ``densepose-iuv``, ``depth`` (16-bit
        millimetres), ``normals``, ``person-mask``, ``garment-mask/NAME/GARMENT.png`` and ``scene/NAME.json``. A ``name`` of several
        words becomes one (:func:`helpers.images.slug`).
        """
        folder, name = Path(folder), slug(name)
        write_image(folder / "lossless" / f"{name}.png", self.image)
        if self.keypoints is not None:
            write_text(folder / "openpose_json" / f"{name}_keypoints.json", json.dumps(openpose_json(self.keypoints)))
            size = self.image.shape[1], self.image.shape[0]
            write_image(folder / "openpose_img" / f"{name}_rendered.png", openpose_picture(self.keypoints, size))
        if self.labels is not None:
            write_labels(folder / "image-parse-v3" / f"{name}.png", self.labels, CIHP_PALETTE)
        if self.densepose is not None:
            write_image(folder / "image-densepose" / f"{name}.jpg", densepose_picture(self.densepose))
            write_image(folder / "densepose-iuv" / f"{name}.png", self.densepose)
        if self.depth is not None:
            millimetres = np.clip(np.rint(self.depth * _MILLIMETRES), 0, 65535).astype(np.uint16)
            write_image(folder / "depth" / f"{name}.png", millimetres)
        if self.normals is not None:
            write_image(folder / "normals" / f"{name}.png", np.rint(self.normals * 127 + 128).astype(np.uint8))
        if self.mask is not None:
            write_mask(folder / "person-mask" / f"{name}.png", self.mask)
        for garment, mask in self.garments.items():
            write_mask(folder / "garment-mask" / name / f"{garment.replace('/', '-')}.png", mask)
        if self.scene:
            write_text(folder / "scene" / f"{name}.json", json.dumps(self.scene, indent=1))
        return write_image(folder / "image" / f"{name}.jpg", self.image)


def load_person(path: str | Path) -> Person:
    """A person from a picture file, with the annotations of a VITON-HD folder where the file lies in one.

    ``path``: any photograph, or ``…/image/NAME.jpg`` of a data set (folder names of VITON-HD, HR-VITON and this suite are known).
    Raises ``FileNotFoundError`` or ``ValueError`` that name ``person`` and the file.
    """
    path = checks.path(path, "person")
    image = read_image(path, "person")
    root, name = path.parent.parent, path.stem
    if path.parent.name != "image":
        return Person(image)

    def find(*candidates: str) -> Path | None:
        return next((root / c for c in candidates if (root / c).exists()), None)

    exact = find(f"lossless/{name}.png")
    found: dict = {"image": read_image(exact, "person") if exact else image}
    if file := find(f"openpose_json/{name}_keypoints.json", f"openpose-json/{name}_keypoints.json"):
        found["keypoints"] = read_openpose(file)
    if file := find(f"image-parse-v3/{name}.png", f"image-parse/{name}.png"):
        found["labels"] = _read_labels(file)
    if file := find(f"densepose-iuv/{name}.png"):
        found["densepose"] = read_image(file)
    if file := find(f"depth/{name}.png"):
        found["depth"] = (np.asarray(Image.open(file), np.float32) / _MILLIMETRES).astype(np.float32)
    if file := find(f"normals/{name}.png"):
        codes = read_image(file)
        found["normals"] = np.where((codes == 128).all(2, keepdims=True), 0, (codes.astype(np.float32) - 128) / 127)
    if file := find(f"person-mask/{name}.png"):
        found["mask"] = read_mask(file)
    if file := find(f"garment-mask/{name}"):
        found["garments"] = {p.stem: read_mask(p) for p in sorted(file.glob("*.png"))}
    if file := find(f"scene/{name}.json"):
        found["scene"] = json.loads(file.read_text(encoding="utf-8"))
    return Person(**found)


def _read_labels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        if picture.mode not in ("P", "L"):
            raise ValueError(f"labels: {path} is a {picture.mode} picture; an indexed PNG whose indices are labels is needed.")
        labels = np.array(picture, np.uint8)
    if labels.max() >= len(CIHP):
        raise ValueError(f"labels: {path} holds label {labels.max()}, outside CIHP's 0..{len(CIHP) - 1}.")
    return labels


def openpose_json(keypoints: np.ndarray) -> dict:
    """(25, 3) BODY_25 keypoints in OpenPose's own JSON structure."""
    empty: dict[str, list[float]] = {
        f"{part}_keypoints_{d}d": [] for part in ("face", "hand_left", "hand_right", "pose") for d in (2, 3)
    }
    person = {"person_id": [-1], **empty, "pose_keypoints_2d": [round(float(v), 3) for v in np.ravel(keypoints)]}
    return {"version": 1.3, "people": [person]}


def read_openpose(path: str | Path) -> np.ndarray | None:
    """(25, 3) float32 BODY_25 keypoints of the first person in an OpenPose file; ``None`` if nobody is in it."""
    people = json.loads(Path(path).read_text(encoding="utf-8")).get("people", [])
    if not people:
        return None
    values = np.array(people[0]["pose_keypoints_2d"], np.float32)
    if values.size != 3 * len(BODY_25):
        raise ValueError(f"keypoints: {path} holds {values.size // 3} points; the 25 of BODY_25 are needed.")
    return values.reshape(25, 3)


def openpose_picture(keypoints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(25, 3) BODY_25 keypoints as OpenPose draws them without the photograph: uint8 (H, W, 3) RGB of ``size`` (width, height).

    Ellipses for the bones and then discs for the joints, each laid over what is there with six tenths of its colour; the same pixels as
    OpenPose's own ``render_pose`` on a GPU.
    """
    out = np.zeros((size[1], size[0], 3), np.float32)
    seen = keypoints[:, 2] > _SEEN
    points = keypoints[:, :2].astype(np.float64)
    if seen.any():  # bones are thinner on people of less than some 200 pixels
        scale = min(size) * np.clip(np.ptp(points[seen], axis=0).sum() / 400, 0.33, 1)
        for a, b in BODY_25_DRAWN:
            if seen[a] and seen[b]:
                _lay_ellipse(out, (points[a] + points[b]) / 2, (points[b] - points[a]) / 2, scale / 120, BODY_25_COLOURS[b])
        for joint in np.flatnonzero(seen):
            _lay_ellipse(out, points[joint], np.array([scale / 100, 0]), scale / 100, BODY_25_COLOURS[joint])
    return (out + 1e-3).astype(np.uint8)  # OpenPose cuts fractions off


def _lay_ellipse(out: np.ndarray, centre: np.ndarray, axis: np.ndarray, width: float, colour: np.ndarray) -> None:
    """Lay an ellipse over float32 (H, W, 3): from ``centre`` along the half ``axis`` (x, y), ``width`` half across, all in pixels."""
    length = max(float(np.hypot(*axis)), 1e-6)
    reach = max(length, width)
    left, top = np.maximum(np.floor(centre - reach), 0).astype(int)
    right, bottom = np.maximum(np.ceil(centre + reach) + 1, 0).astype(int)
    window = out[top:bottom, left:right]
    x, y = np.arange(window.shape[1]) + left - centre[0], (np.arange(window.shape[0]) + top - centre[1])[:, None]
    along, across = (x * axis[0] + y * axis[1]) / length, (y * axis[0] - x * axis[1]) / length
    inside = (along / length) ** 2 + (across / width) ** 2 <= 1
    window[inside] += _OPACITY * (colour - window[inside])


def densepose_picture(densepose: np.ndarray) -> np.ndarray:
    """IUV (H, W, 3) -> the RGB picture that try-on networks read: part / 24 through OpenCV's PARULA map, black elsewhere."""
    part = densepose[..., 0]
    colours = cv2.applyColorMap((part.astype(np.float32) * (255.0 / 24.0)).astype(np.uint8), cv2.COLORMAP_PARULA)
    return np.where(part[..., None] > 0, colours[..., ::-1], 0).astype(np.uint8)
