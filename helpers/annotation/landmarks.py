"""``engine="mediapipe"``: everybody in a photograph by MediaPipe's networks, and their landmarks as the field's keypoints.

Convention: a person's left is their own, on the right of a picture that shows them from the front.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from scipy.special import expit, logit

from helpers import images, weights
from helpers.annotation import mediapipe, skeleton
from helpers.annotation.mediapipe import Body, Part, sigmoid
from helpers.contract import Base
from helpers.labels import BODY_25, BODY_25_BONES
from helpers.matting import guided
from helpers.person import ANNOTATIONS, Person

SEEN = 0.5
"""Visibility from which a joint counts as seen."""
_SEEN_BY_NETWORKS = ("keypoints", "landmarks", "hands", "face", "matte", "mask")
DERIVED = {"labels", "densepose"}
"""What no network of these sees: it is derived."""
FROM = {"landmarks", "hands", "face", "matte"}
"""What it is derived from."""
_FREE = 0.3  # share of a box that others take, up to which somebody smaller may be in it
_CLOSER = 0.8  # of a region, for somebody who stands close to somebody else
_NEARNESS = 4.0  # logits that the distance of a fifth of a body from its bones counts
_SHARED, _AHEAD = (
    (0.6, 0.85),
    6.0,
)  # share of somebody that others claim too, from which they are in front; what that counts, in logits
_BONES = tuple((BODY_25[a], BODY_25[b]) for a, b in BODY_25_BONES if not BODY_25[b].endswith(("eye", "ear", "toe", "heel")))
_SIDES = (("left", 0), ("right", 1))
_JOINTS = {"nose": 0} | {
    f"{side}-{joint}": place + first
    for side, place in _SIDES
    for joint, first in (
        ("shoulder", 11), ("elbow", 13), ("wrist", 15), ("hip", 23), ("knee", 25), ("ankle", 27), ("heel", 29), ("ear", 7),
    )
} | {"left-eye": 2, "right-eye": 5}  # fmt: skip
_MIDDLE = {"neck": ("left-shoulder", "right-shoulder"), "mid-hip": ("left-hip", "right-hip")}
"""As OpenPose places them."""


def keypoints(landmarks: np.ndarray, size: tuple[int, int], names: Sequence[str] = BODY_25) -> np.ndarray:
    """float32 (N, 3) x, y, confidence of the joints ``names`` (BODY_25, COCO-18 or COCO-17), from ``landmarks`` (33, 7) of a ``Person``.

    size: (width, height) of the picture. The confidence is the landmark's visibility; a joint that is hidden, outside the picture or no
    landmark (the small toes) is (0, 0, 0), as OpenPose has it.
    """
    out = np.zeros((len(names), 3), np.float32)
    for index, name in enumerate(names):
        of = [_JOINTS[joint] for joint in _MIDDLE.get(name, (name,)) if joint in _JOINTS]
        if not of:
            continue
        (x, y), confidence = landmarks[of, :2].mean(0), landmarks[of, 2].min()
        if confidence >= SEEN and 0 <= x < size[0] and 0 <= y < size[1]:
            out[index] = x, y, confidence
    return out


class MediaPipe(Base):
    """Landmarks, hands, face and a soft mask of one person in a photograph of any size, and what is derived from them; the networks load
    when they are first needed."""

    def __init__(self) -> None:
        self._last: _Picture | None = None  # parsed last, so that clicks on it and a try-on of it cost nothing more here

    def close(self) -> None:
        """Free the networks, and forget the picture parsed last."""
        mediapipe.forget()
        self._last = None

    def __call__(
        self,
        person: Person,
        *,
        needs: Collection[str],
        pick: str | int = "auto",
        mask: np.ndarray | None = None,
    ) -> Person:
        """The person with what is in ``needs`` and not known yet.

        needs: out of ``keypoints`` (BODY_25), ``landmarks``, ``hands``, ``face``, ``matte`` and ``mask``, and derived from them
               ``labels`` and ``densepose``
        pick:  who, where there are several: ``auto`` (whom ``mask`` is on, else the largest, nearest to the middle) or a number
               counted from the left, from 0
        mask:  bool (H, W) of what somebody wears
        ``scene["people"]`` says how many people there are, ``scene["confidence"]`` how sure each class of the labels is. Raises
        ``ValueError`` where nobody is found, ``weights.Missing`` for files that are not here.
        """
        missing = person.missing(needs)
        if not missing:
            return person
        if not DERIVED & set(missing):
            return _seen(person, missing, pick, mask)
        if person.missing(FROM) == tuple(name for name in ANNOTATIONS if name in FROM):
            whole = self._parsed_before(person.image, pick, mask)
        else:
            unseen = person.missing({*missing, *FROM} - DERIVED)
            whole = _parsed(_seen(person, unseen, pick, mask) if unseen else person)
        return replace(person, **{name: getattr(whole, name) for name in missing}, scene={**person.scene, **whole.scene})

    def _parsed_before(self, image: np.ndarray, pick: str | int, mask: np.ndarray | None) -> Person:
        """All that can be told of somebody in ``image``, kept for as long as the picture is the same."""
        key = images.digest(image)
        if self._last is None or self._last.key != key:
            look = _look(image.copy())  # whoever owns it may paint on it
            self._last = _Picture(key, look, _everybody(look), {})
        last = self._last
        chosen = _chosen(last.look, last.people, pick, mask)
        if chosen not in last.parsed:
            last.parsed[chosen] = _parsed(_told(Person(image), _SEEN_BY_NETWORKS, last.look, last.people, chosen))
        return last.parsed[chosen]


@dataclass(frozen=True)
class _Picture:
    """A picture's digest, who is in it, and those of them who were parsed, by their number."""

    key: str
    look: mediapipe.Look
    people: list[_Somebody]
    parsed: dict[int, Person]


def _look(image: np.ndarray) -> mediapipe.Look:
    """Raises ``weights.Missing`` for files that are not here."""
    for record in weights.records("mediapipe"):
        weights.require(record.name)
    return mediapipe.Look.at(image)


def _chosen(look: mediapipe.Look, people: Sequence[_Somebody], pick: str | int, mask: np.ndarray | None) -> int:
    """Which of ``people`` is meant. Raises ``ValueError`` where nobody is."""
    return skeleton.choose([keypoints(each.landmarks, look.size) for each in people], pick, mask)


def _seen(person: Person, missing: Collection[str], pick: str | int, mask: np.ndarray | None) -> Person:
    """``person`` with what is ``missing``, as far as the networks see it."""
    look = _look(person.image)
    people = _everybody(look)
    return _told(person, missing, look, people, _chosen(look, people, pick, mask))


def _told(person: Person, missing: Collection[str], look: mediapipe.Look, people: list[_Somebody], chosen: int) -> Person:
    """``person`` with what is ``missing`` of the one of ``people`` who was chosen."""
    height, width = person.image.shape[:2]
    found: dict[str, Any] = {}
    landmarks = people[chosen].landmarks
    if "landmarks" in missing:
        found["landmarks"] = landmarks
    if "keypoints" in missing:
        found["keypoints"] = keypoints(landmarks, (width, height))
    hands = mediapipe.hands(look, people[chosen].first) if "hands" in missing else ()
    face = mediapipe.face(look, people[chosen].first) if "face" in missing else None
    soft = "matte" in missing or "mask" in missing
    disputed = len(people) > 1 and any(part is not None for part in (*hands, face))
    claims = _claims(look, people, chosen) if soft or disputed else None
    if "hands" in missing:
        found["hands"] = np.stack([_points(_own(hand, claims, look), 21) for hand in hands])
    if "face" in missing:
        found["face"] = _points(_own(face, claims, look), 468)
    if soft:
        assert claims is not None
        matte = _matte(person.image, look, claims, people[chosen].second.region)
        found |= {name: value for name, value in (("matte", matte), ("mask", matte > 0.5)) if name in missing}
    return replace(person, **found, scene={**person.scene, "people": len(people)})


def _parsed(person: Person) -> Person:
    """The person with labels and body parts derived from the rest."""
    from helpers.annotation.derived import derive  # asks scikit-image

    found = derive(person)
    return replace(
        person, labels=found.labels, densepose=found.densepose, scene={**person.scene, "confidence": found.confidence}
    )


@dataclass(frozen=True)
class _Somebody:
    """One of those in the picture, as the network saw them in a first look, and in a second one from there."""

    first: Body
    second: Body

    @property
    def landmarks(self) -> np.ndarray:
        """float32 (33, 7): x, y, visibility, presence, and x, y, z in metres.

        The upper body is the first look's, hips and legs the second's: so each is nearer to OpenPose's.
        """
        rows = [
            np.column_stack([look.points, look.visibility, look.presence, look.metres]) for look in (self.first, self.second)
        ]
        return np.concatenate([rows[0][:23], rows[1][23:]]).astype(np.float32)

    def soft(self, look: mediapipe.Look) -> np.ndarray:
        """float32 (h, w) of 0..1 over the look: this person."""
        return (sigmoid(self.first.seen(look)) + sigmoid(self.second.seen(look))) / 2

    def nearness(self, look: mediapipe.Look) -> np.ndarray:
        """float32 (h, w) over the look: distance from the bones that are seen, 1 at a fifth of the body's size."""
        joints = dict(zip(BODY_25, keypoints(self.landmarks, look.size), strict=True))
        canvas = np.full(look.picture.shape[:2], 255, np.uint8)
        for a, b in _BONES:
            if joints[a][2] > 0 and joints[b][2] > 0:
                start, end = (tuple(int(v) for v in joints[joint][:2] * look.scale) for joint in (a, b))
                cv2.line(canvas, start, end, 0, 1)
        head = self.landmarks[0, :2] * look.scale
        cv2.circle(canvas, tuple(int(v) for v in head), 2, 0, -1)
        size = self.second.region.side / 2.5 * look.scale
        return cv2.distanceTransform(canvas, cv2.DIST_L2, 5) / (0.2 * size)


def _everybody(look: mediapipe.Look) -> list[_Somebody]:
    """Everybody whom the landmark network sees too, the most prominent first, nobody twice."""
    people: list[_Somebody] = []
    for detection in mediapipe.detect(look):
        _meet(look, detection.region, people)
    smaller, taken = mediapipe.detect_small(look), np.zeros(look.picture.shape[:2], bool)
    for somebody in people if smaller else ():
        taken |= somebody.soft(look) > SEEN
    for detection in smaller:
        left, top, right, bottom = (max(0, round(float(edge) * look.scale)) for edge in detection.box)
        box = taken[top:bottom, left:right]
        if box.size and box.mean() < _FREE:
            _meet(look, detection.region, people)
    shape = look.size[::-1]
    return sorted(people, key=lambda each: -skeleton.prominence(keypoints(each.landmarks, look.size), shape))


def _meet(look: mediapipe.Look, region: mediapipe.Region, people: list[_Somebody]) -> None:
    """Add to ``people`` whom the landmark network sees in ``region``, if it is nobody of them."""
    first = mediapipe.body(look, region)
    if _known(first, people):  # or somebody close behind whom it did not see for the one in front
        first = mediapipe.body(look, replace(region, side=_CLOSER * region.side))
    if first.score >= SEEN and not _known(first, people):
        people.append(_Somebody(first, mediapipe.body(look, first.next)))


def _known(body: Body, people: Sequence[_Somebody]) -> bool:
    """Whether it is one of those in ``people``."""
    return any(_spread(body) > 4 * np.abs(body.points - other.first.points).mean() for other in people)


def _spread(body: Body) -> float:
    """How large a body is in the picture: the mean distance of its landmarks from their middle, in pixels."""
    return float(np.abs(body.points - body.points.mean(0)).mean())


@dataclass(frozen=True)
class _Claims:
    """float32 (h, w) over the look: logits of the person who is meant, and where those of somebody else are to be believed rather."""

    logits: np.ndarray
    others: np.ndarray


def _claims(look: mediapipe.Look, people: list[_Somebody], chosen: int) -> _Claims:
    """What is whose: where the networks see several people in one place, whose bones are nearer counts too."""
    each = np.stack([logit(np.clip(somebody.soft(look), 1e-3, 1 - 1e-3)) for somebody in people])
    if len(people) == 1:
        return _Claims(each[0], np.zeros(each.shape[1:], bool))
    near = np.stack([somebody.nearness(look) for somebody in people])
    seen = each > 0
    shared = np.array([(one & (seen.sum(0) > 1)).sum() / max(1, one.sum()) for one in seen])
    ahead = np.clip((shared - _SHARED[0]) / (_SHARED[1] - _SHARED[0]), 0, 1)  # who is all within others stands before them
    strength = each - _NEARNESS * near + _AHEAD * ahead[:, None, None]
    return _Claims(each[chosen], strength.argmax(0) != chosen)


def _own(part: Part | None, claims: _Claims | None, look: mediapipe.Look) -> Part | None:
    """A hand or a face, unless it is somebody else's; without ``claims`` nobody else is there."""
    if part is None or claims is None:
        return part
    x, y = (part.points[:, :2] * look.scale).astype(int).T
    height, width = claims.others.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return None if inside.any() and claims.others[y[inside], x[inside]].mean() > 0.5 else part


def _matte(image: np.ndarray, look: mediapipe.Look, claims: _Claims, around: mediapipe.Region) -> np.ndarray:
    """float32 (H, W) of 0..1: the chosen one, where two networks agree, with the edges of the photograph."""
    anyone = logit(np.clip(mediapipe.anyone(look, around), 1e-3, 1 - 1e-3))
    rough = expit((claims.logits + anyone) / 2)
    rough[claims.others] = 0
    return guided(image, rough)


def _points(part: Part | None, count: int) -> np.ndarray:
    """float32 (count, 3): x, y, confidence, all 0 where there is no such part."""
    if part is None:
        return np.zeros((count, 3), np.float32)
    return np.column_stack([part.points[:, :2], np.full(count, part.score)]).astype(np.float32)
