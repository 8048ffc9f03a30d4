"""Joints of a body in the numberings of the field, as the files and pictures that its programs read and write.

OpenPose's JSON and drawing (github.com/CMU-Perceptual-Computing-Lab/openpose) with the 25 joints of BODY_25, as VITON-HD and HR-VITON
have them, or with the 18 of COCO-18, as the older VITON; and the JSON of PoseNet (TensorFlow.js, ``@tensorflow-models/posenet``), whose
17 joints have names.

Convention: float32 (N, 3): x to the right, y down, in image pixels, and a confidence 0..1; all 0 where a joint is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers import checks, notes
from helpers.files import told
from helpers.labels import BODY_25, BODY_25_COLOURS, BODY_25_DRAWN, COCO_17, COCO_18

ORDERS = {"body_25": BODY_25, "coco_18": COCO_18, "coco_17": COCO_17}
"""The numberings of joints by name."""
FARTHEST = 1e5
"""Pixels: joints may lie outside the picture, and no picture is as wide."""
_MIDDLE = {"neck": ("right-shoulder", "left-shoulder"), "mid-hip": ("right-hip", "left-hip")}
"""As OpenPose places them."""
_COCO_18_DRAWN = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14),
    (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_DRAWN = {"body_25": BODY_25_DRAWN, "coco_18": _COCO_18_DRAWN}
_SURE = 1.2  # OpenPose's confidences are peaks of enlarged maps, which overshoot 1 a little
_SEEN, _OPACITY = 0.05, 0.6  # OpenPose's own: what counts as seen, and how much of a colour covers what is below


def renumbered(joints: np.ndarray, source: str, target: str) -> np.ndarray:
    """Joints of ``source`` numbering as float32 (N, 3) in ``target`` numbering (names of ``ORDERS``), each by its name.

    A neck or middle of the hips that ``source`` does not have lies between the two shoulders or hips where both are seen, as sure as the
    less sure of them; what else it does not have (toes, heels) is not seen. Raises ``ValueError`` for joints of another shape.
    """
    names, wanted = (ORDERS[checks.one_of(order, "numbering of joints", tuple(ORDERS))] for order in (source, target))
    joints = checks.values(joints, (len(names), 3), "joints", f"x, y and confidence of {source}", -FARTHEST, FARTHEST)
    out = np.zeros((len(wanted), 3), np.float32)
    for index, name in enumerate(wanted):
        of = [name] if name in names else [joint for joint in _MIDDLE.get(name, ()) if joint in names]
        rows = joints[[names.index(joint) for joint in of]]
        if of and (rows[:, 2] > 0).all():
            out[index] = *rows[:, :2].mean(0), rows[:, 2].min()
    return out


# --------------------------------------------------------------------------------------------------------------- files


def openpose_json(keypoints: np.ndarray, hands: np.ndarray | None = None, numbering: str = "body_25") -> dict:
    """(25, 3) BODY_25 keypoints, and (2, 21, 3) those of the left and the right hand, in OpenPose's own JSON structure.

    numbering: ``body_25`` or ``coco_18``, in which they are written
    """
    empty: dict[str, list[float]] = {
        f"{part}_keypoints_{d}d": [] for part in ("face", "hand_left", "hand_right", "pose") for d in (2, 3)
    }
    checks.one_of(numbering, "numbering", tuple(_DRAWN))
    person = {"person_id": [-1], **empty, "pose_keypoints_2d": _rounded(_in(numbering, keypoints))}
    for side, points in zip(("left", "right"), () if hands is None else hands, strict=False):
        person[f"hand_{side}_keypoints_2d"] = _rounded(points)
    return {"version": 1.3, "people": [person]}


def _in(numbering: str, keypoints: np.ndarray) -> np.ndarray:
    """BODY_25 keypoints in another numbering, untouched where it is that one."""
    return keypoints if numbering == "body_25" else renumbered(keypoints, "body_25", numbering)


def _rounded(points: np.ndarray) -> list[float]:
    return [round(float(v), 3) for v in np.ravel(points)]


def posenet_json(keypoints: np.ndarray) -> dict:
    """(25, 3) BODY_25 keypoints as one pose of PoseNet's: its 17 parts by name, each with a position and a score, and their mean score.

    A joint that is not seen has score 0 at (0, 0).
    """
    joints = _in("coco_17", keypoints)
    parts = [
        {"score": round(float(score), 4), "part": _part(name), "position": {"x": round(float(x), 3), "y": round(float(y), 3)}}
        for name, (x, y, score) in zip(COCO_17, joints, strict=True)
    ]
    return {"score": round(float(joints[:, 2].mean()), 4), "keypoints": parts}


def _part(name: str) -> str:
    """``leftShoulder`` for ``left-shoulder``."""
    first, *rest = name.split("-")
    return first + "".join(word.title() for word in rest)


def read_joints(path: str | Path) -> np.ndarray | None:
    """(25, 3) float32 BODY_25 keypoints of the first person in a file of joints; ``None`` if nobody is in it.

    Read are OpenPose's own with 25 joints (BODY_25) or 18 (COCO-18; also under VITON's older ``pose_keypoints``), and PoseNet's, whose 17
    joints have names. Raises ``ValueError`` naming ``keypoints`` and the file.
    """
    path = Path(path)
    note = notes.read(path, "keypoints", "")
    if (isinstance(note, dict) and "keypoints" in note) or (isinstance(note, list) and note):
        return _of_posenet(note[0] if isinstance(note, list) else note, path)
    people = note.get("people") if isinstance(note, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise ValueError(f"keypoints: {told(path)} is no file of OpenPose: it has no list of people.")
    if not people:
        return None
    values = people[0].get("pose_keypoints_2d", people[0].get("pose_keypoints"))
    if not _are_numbers(values):
        raise ValueError(f"keypoints: {told(path)} must hold numbers as pose_keypoints_2d.")
    orders = {3 * len(ORDERS[order]): order for order in _DRAWN}
    if len(values) not in orders:
        raise ValueError(
            f"keypoints: {told(path)} holds {len(values) / 3:g} points; the 25 of BODY_25 or the 18 of COCO-18 are needed, or PoseNet's "
            "JSON, in which the 17 have names."
        )
    return renumbered(_points(values, path), orders[len(values)], "body_25")


def _of_posenet(pose: Any, path: Path) -> np.ndarray:
    """(25, 3) BODY_25 of one pose as :func:`posenet_json` has it, parts in any order, missing ones not seen."""
    try:
        rows = {each["part"]: [each["position"]["x"], each["position"]["y"], each["score"]] for each in pose["keypoints"]}
    except (TypeError, KeyError, IndexError):
        rows = {}
    parts = {_part(name): name for name in COCO_17}
    if not rows or not rows.keys() <= parts.keys() or not all(_are_numbers(row) for row in rows.values()):
        raise ValueError(
            f"keypoints: {told(path)} is neither OpenPose's, which has a list of people, nor PoseNet's, which has keypoints, each with one "
            "of its 17 parts, a position of x and y, and a score. Write it as one of them again."
        )
    values = [value for name in COCO_17 for value in rows.get(_part(name), (0, 0, 0))]
    return renumbered(_points(values, path), "coco_17", "body_25")


def _are_numbers(values: object) -> bool:
    return isinstance(values, list) and all(type(value) in (int, float) for value in values)


def _points(values: Sequence[float], path: Path) -> np.ndarray:
    """(N, 3) of the numbers in a file, which may be any."""
    if not all(abs(value) <= FARTHEST for value in values) or not all(0 <= value <= _SURE for value in values[2::3]):
        raise ValueError(
            f"keypoints: {told(path)} holds numbers that are no pixels (at most {FARTHEST:g}) or no confidences (0 to 1)."
        )
    points = np.array(values, np.float32).reshape(-1, 3)
    points[:, 2] = points[:, 2].clip(0, 1)
    return points


# ------------------------------------------------------------------------------------------------------------- picture


def openpose_picture(
    keypoints: np.ndarray, size: tuple[int, int], numbering: str = "body_25", over: np.ndarray | None = None
) -> np.ndarray:
    """(25, 3) BODY_25 keypoints as OpenPose draws them: uint8 (H, W, 3) RGB of ``size`` (width, height).

    numbering: ``body_25`` or ``coco_18``, whose bones are drawn
    over:      uint8 (H, W, 3) RGB of that size to draw on, as OpenPose does by itself; else black, as its ``--disable_blending`` leaves it
    Ellipses for the bones and then discs for the joints, each laid over what is there with six tenths of its colour; the same pixels as
    OpenPose's own ``render_pose`` on a GPU.
    """
    drawn = _DRAWN[checks.one_of(numbering, "numbering", tuple(_DRAWN))]
    keypoints = _in(numbering, keypoints)
    colours = BODY_25_COLOURS[[BODY_25.index(name) for name in ORDERS[numbering]]]  # by name they are the same in both
    if over is not None and over.shape[1::-1] != tuple(size):
        raise ValueError(
            f"over: a picture of {size[0]}x{size[1]} is needed, as size says, not of {over.shape[1]}x{over.shape[0]}."
        )
    out = np.zeros((size[1], size[0], 3), np.float32) if over is None else checks.image(over, "over").astype(np.float32)
    seen = keypoints[:, 2] > _SEEN
    points = keypoints[:, :2].astype(np.float64)
    if seen.any():  # bones are thinner on people of less than some 200 pixels
        scale = min(size) * np.clip(np.ptp(points[seen], axis=0).sum() / 400, 0.33, 1)
        for a, b in drawn:
            if seen[a] and seen[b]:
                _lay_ellipse(out, (points[a] + points[b]) / 2, (points[b] - points[a]) / 2, scale / 120, colours[b])
        for joint in np.flatnonzero(seen):
            _lay_ellipse(out, points[joint], np.array([scale / 100, 0]), scale / 100, colours[joint])
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
