"""What the photograph does not show: which class of clothing, skin or hair goes on behind an arm and on the back.

The picture is parted into what is seen of trunk, head and either arm; each part's labels are carried on over the rest of the picture, so
that
any place of the figure has a class by its part and by where it is in the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy import ndimage

from helpers.labels import CIHP, select
from helpers.mannequin.body.template import Template
from helpers.person import Person
from helpers.reconstruction.relief.fitting import Fit, silhouette

PARTS = ("trunk", "head", "left arm", "right arm")
TRUNK, HEAD, LEFT, RIGHT = range(4)
_HEAD = (
    "head", "special", "levator", "oris", "jaw", "oculi", "orbicularis", "risorius", "temporalis", "eye", "tongue", "neck03", "neck02",
)  # fmt: skip
_ARM = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
_HAND = ("wrist", "metacarpal", "finger")
_ALWAYS = {
    "face": HEAD, "hair": HEAD, "hat": HEAD, "sunglasses": HEAD, "left-arm": LEFT, "right-arm": RIGHT, "pants": TRUNK, "skirt": TRUNK,
    "left-leg": TRUNK, "right-leg": TRUNK, "left-shoe": TRUNK, "right-shoe": TRUNK, "socks": TRUNK,
}  # fmt: skip
_FINGER = 0.10  # of a palm's length: half of a finger's width
_SLIVER = 0.022  # of the picture's longer side
_LEVEL = 2.5  # how much farther up and down counts than sideways: garments end at level lines


class Shares:
    """How much of each vertex of the body's skin belongs to a part: (n,) 0..1 each."""

    def __init__(self, fit: Fit) -> None:
        base, skin = fit.model.template, fit.model.skin
        self.head = base.region(*_HEAD)[skin]
        self.legs = base.region("upperleg", "lowerleg", "foot", "toe")[skin]
        self.shins = base.region("lowerleg", "foot", "toe")[skin]
        self.arms = [_sided(base, _ARM, side)[skin] for side in (".L", ".R")]
        self.hands = [_sided(base, _HAND, side)[skin] for side in (".L", ".R")]
        self.part = np.argmax([np.full(len(skin), 0.5), self.head, *self.arms], axis=0)
        """(n,) into ``PARTS``"""


def _sided(base: Template, bones: tuple[str, ...], side: str) -> np.ndarray:
    return base.region(*(name for name in base.bones.names if name.startswith(bones) and name.endswith(side)))


class Layers:
    """``part`` uint8 (H, W): whose each pixel of the figure is; ``labels`` uint8 (4, H, W): each part's own, carried on everywhere.

    skin: (n, 3) metres, of which a ray through a pixel meets a part first
    ``known`` bool (4, H, W): where a layer shows what the photograph does; ``hands`` bool (H, W): where hands may be.
    """

    def __init__(self, person: Person, fit: Fit, shares: Shares, skin: np.ndarray) -> None:
        assert person.labels is not None
        mask = silhouette(person)
        self.part = self._parted(person.labels, mask, fit, shares, skin)
        self.hands = self._held(person)
        layers, known = [], []
        for part in range(len(PARTS)):
            own = (self.part == part) & mask & (person.labels > 0)
            if part == TRUNK:
                own = _broad(own, person.labels)
            bare = np.full_like(person.labels, CIHP.index("left-arm" if part == LEFT else "right-arm"))
            layers.append(_carried(np.where((part in (LEFT, RIGHT)) & self.hands, bare, person.labels), own))
            known.append(own)
        self.labels, self.known = np.stack(layers), np.stack(known)
        if not known[HEAD].any():
            self.labels[HEAD] = CIHP.index("face")
        for arm in (LEFT, RIGHT):
            if not known[arm].any():
                self.labels[arm] = self.labels[TRUNK]

    def _held(self, person: Person) -> np.ndarray:
        """bool (H, W): where hands may be, by the labels and by what is known of their joints, which count as their arms' then."""
        assert person.labels is not None
        out = select(person.labels, ("left-arm", "right-arm", "glove", "torso-skin"))
        for part, joints in zip((LEFT, RIGHT), person.hands if person.hands is not None else ((), ()), strict=True):
            if len(joints) and joints[0, 2] > 0:
                hull = np.zeros(out.shape, np.uint8)
                cv2.fillConvexPoly(hull, cv2.convexHull(np.round(joints[:, :2]).astype(np.int32)), 1)
                reach = max(1, round(_FINGER * float(np.linalg.norm(joints[9, :2] - joints[0, :2]))))
                here = cv2.dilate(hull, np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
                here &= (self.part != 255) & (self.part != HEAD)
                self.part[here] = part
                out |= here
        return out

    def _parted(self, labels: np.ndarray, mask: np.ndarray, fit: Fit, shares: Shares, skin: np.ndarray) -> np.ndarray:
        height, width = labels.shape
        scene = EmbreeScene()
        TriangleMesh(scene, skin.astype(np.float32), fit.model.faces)
        y, x = np.mgrid[0:height:2, 0:width:2]
        start = np.stack(
            [(x - (width - 1) / 2) / fit.scale, ((height - 1) / 2 - y) / fit.scale, np.full(x.shape, 5.0)], axis=-1
        )
        start = start.reshape(-1, 3).astype(np.float32)
        met = scene.run(start, np.tile(np.array([[0, 0, -1]], np.float32), (len(start), 1)), query="INTERSECT", output=1)
        face = met["primID"].reshape(x.shape)
        part = shares.part[fit.model.faces[face, 0]]
        place = ndimage.distance_transform_edt(face < 0, return_distances=False, return_indices=True)
        part = part[place[0], place[1]].astype(np.uint8)
        part = np.repeat(np.repeat(part, 2, axis=0), 2, axis=1)[:height, :width]
        for name, fixed in _ALWAYS.items():
            part[labels == CIHP.index(name)] = fixed
        neck = select(labels, ("torso-skin",)) & (part != HEAD)
        part[neck] = TRUNK
        cloth = (part == HEAD) & select(labels, ("upper-clothes", "dress", "coat"))
        part[cloth] = TRUNK
        return np.where(mask, part, 255).astype(np.uint8)

    def at(self, pixels: np.ndarray, part: np.ndarray) -> np.ndarray:
        """(N,) labels at ``pixels`` (N, 2) of places that belong to ``part`` (N,)."""
        height, width = self.labels.shape[1:]
        x, y = np.clip(np.round(pixels).astype(int), 0, (width - 1, height - 1)).T
        return self.labels[part, y, x]


def _broad(own: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``own`` (H, W) without slivers of a class, which are the next part's edge; all of it where nothing else is."""
    side = 2 * round(_SLIVER * max(own.shape) / 2) + 1
    out = np.zeros_like(own)
    for label in np.unique(labels[own]):
        out |= cv2.morphologyEx((own & (labels == label)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) > 0
    return out if out.any() else own


def _carried(labels: np.ndarray, own: np.ndarray) -> np.ndarray:
    """``labels`` (H, W) of the nearest pixel that is ``own``."""
    if not own.any():
        return labels
    place = ndimage.distance_transform_edt(~own, sampling=(_LEVEL, 1), return_distances=False, return_indices=True)
    return labels[place[0], place[1]]
