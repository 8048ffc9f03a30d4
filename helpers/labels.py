"""Human-parsing label maps and pose joints: names, numbers, palettes, and conversion by name.

Sources: LIP and ATR as in Self-Correction-Human-Parsing (GoGoDuck912), CIHP as in CIHP_PGN (Engineering-Course) and VITON-HD,
BODY_25 and COCO-18 as in OpenPose (CMU), COCO-17 as in PoseNet.
"""

from __future__ import annotations

import numpy as np

CIHP = (
    "background", "hat", "hair", "glove", "sunglasses", "upper-clothes", "dress", "coat", "socks", "pants",
    "torso-skin", "scarf", "skirt", "face", "left-arm", "right-arm", "left-leg", "right-leg", "left-shoe", "right-shoe",
)  # fmt: skip
LIP = tuple("jumpsuits" if name == "torso-skin" else name for name in CIHP)
ATR = (
    "background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress", "belt", "left-shoe",
    "right-shoe", "face", "left-leg", "right-leg", "left-arm", "right-arm", "bag", "scarf",
)  # fmt: skip
ATR_NECK = (*ATR, "neck")
"""ATR as IDM-VTON's parsing extends it: the part of the face that LIP does not call face."""
PASCAL = ("background", "head", "torso", "upper-arms", "lower-arms", "upper-legs", "lower-legs")
"""Pascal person parts: the body under the clothes, whose classes have no counterpart in the other numberings."""
NUMBERINGS = {"cihp": CIHP, "lip": LIP, "atr": ATR, "atr_neck": ATR_NECK}

# A numbering that lacks a class takes the first of these that it has. LIP and ATR have no neck or torso skin: SCHP calls it face.
_NEAREST = {
    "torso-skin": ("neck", "face"),
    "neck": ("torso-skin", "face"),
    "coat": ("upper-clothes",),
    "jumpsuits": ("dress",),
    "glove": ("background",),
    "socks": ("background",),
    "belt": ("background",),
    "bag": ("background",),
}

CIHP_PALETTE = np.array(
    [
        (0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85), (0, 119, 221),
        (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255), (51, 170, 221), (0, 255, 255),
        (85, 255, 170), (170, 255, 85), (255, 255, 0), (255, 170, 0),
    ],
    np.uint8,
)  # fmt: skip
"""(20, 3) sRGB, the colours of CIHP_PGN; cosmetic, the label PNGs are indexed."""

BODY_25 = (
    "nose", "neck", "right-shoulder", "right-elbow", "right-wrist", "left-shoulder", "left-elbow", "left-wrist", "mid-hip",
    "right-hip", "right-knee", "right-ankle", "left-hip", "left-knee", "left-ankle", "right-eye", "left-eye", "right-ear",
    "left-ear", "left-big-toe", "left-small-toe", "left-heel", "right-big-toe", "right-small-toe", "right-heel",
)  # fmt: skip
COCO_18 = (
    "nose", "neck", "right-shoulder", "right-elbow", "right-wrist", "left-shoulder", "left-elbow", "left-wrist", "right-hip",
    "right-knee", "right-ankle", "left-hip", "left-knee", "left-ankle", "right-eye", "left-eye", "right-ear", "left-ear",
)  # fmt: skip
COCO_17 = (
    "nose", "left-eye", "right-eye", "left-ear", "right-ear", "left-shoulder", "right-shoulder", "left-elbow", "right-elbow",
    "left-wrist", "right-wrist", "left-hip", "right-hip", "left-knee", "right-knee", "left-ankle", "right-ankle",
)  # fmt: skip
"""COCO's own order, and PoseNet's."""
BODY_25_BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14),
    (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
BODY_25_DRAWN = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14), (1, 0),
    (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
"""The same bones in the order in which OpenPose draws them, each in the colour of its second joint."""
BODY_25_COLOURS = np.array(
    [
        (255, 0, 85), (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
        (255, 0, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (255, 0, 170),
        (170, 0, 255), (255, 0, 255), (85, 0, 255), (0, 0, 255), (0, 0, 255), (0, 0, 255), (0, 255, 255), (0, 255, 255),
        (0, 255, 255),
    ],
    np.uint8,
)  # fmt: skip
"""(25, 3) sRGB, OpenPose's own."""

DENSEPOSE_PARTS = (
    "background", "torso-back", "torso-front", "right-hand", "left-hand", "left-foot", "right-foot",
    "right-upper-leg-back", "left-upper-leg-back", "right-upper-leg-front", "left-upper-leg-front",
    "right-lower-leg-back", "left-lower-leg-back", "right-lower-leg-front", "left-lower-leg-front",
    "left-upper-arm-inner", "right-upper-arm-inner", "left-upper-arm-outer", "right-upper-arm-outer",
    "left-lower-arm-inner", "right-lower-arm-inner", "left-lower-arm-outer", "right-lower-arm-outer",
    "head-right", "head-left",
)  # fmt: skip
"""Index 0..24 of DensePose's I channel (facebookresearch/DensePose)."""

UPPER = ("upper-clothes", "dress", "coat")
"""What a try-on of ``category="upper"`` replaces (CIHP 5, 6, 7)."""
LOWER = ("pants", "skirt")
"""What a try-on of ``category="lower"`` replaces (CIHP 9, 12)."""
CATEGORY_CLASSES = {"upper": UPPER, "lower": LOWER, "dress": (*UPPER, *LOWER)}
"""What a try-on of each category replaces, by class name."""
_BARE = ("face", "torso-skin", "left-arm", "right-arm", "left-leg", "right-leg")
PARTS = {
    **CATEGORY_CLASSES,
    "hair": ("hair", "hat"),
    "face": ("face", "sunglasses"),
    "neck": ("torso-skin",),
    "arms": ("left-arm", "right-arm"),
    "legs": ("left-leg", "right-leg"),
    "shoes": ("left-shoe", "right-shoe", "socks"),
    "skin": _BARE,
}
"""What can be asked for as a mask of its own, by class name."""


def numbering(name: str) -> tuple[str, ...]:
    """Class names by index. Raises ``ValueError`` for anything but ``cihp``, ``lip``, ``atr`` or ``atr_neck``."""
    if name not in NUMBERINGS:
        raise ValueError(f"numbering is one of {', '.join(NUMBERINGS)}, not {name!r}.")
    return NUMBERINGS[name]


def nearest(name: str, target: str = "cihp") -> int:
    """The number of the class ``name`` in ``target`` numbering, or of what stands for it there ("jumpsuits" are a dress in CIHP)."""
    known = numbering(target)
    return known.index(next(n for n in (name, *_NEAREST.get(name, ())) if n in known))


def convert(labels: np.ndarray, source: str, target: str) -> np.ndarray:
    """A label map (H, W) uint8 in another numbering, class by class by name.

    Where ``target`` lacks a class its nearest is taken (torso skin becomes face, coat upper-clothes, gloves and socks background).
    """
    names = numbering(source)
    table = np.zeros(256, np.uint8)
    for index, name in enumerate(names):
        table[index] = nearest(name, target)
    if labels.size and labels.max() >= len(names):
        raise ValueError(f"label {labels.max()} is outside {source} numbering (0..{len(names) - 1}).")
    return table[labels]


def select(labels: np.ndarray, names: tuple[str, ...] | list[str], source: str = "cihp") -> np.ndarray:
    """bool (H, W): where ``labels`` is one of the named classes; names that ``source`` lacks are passed over."""
    known = numbering(source)
    return np.isin(labels, [known.index(name) for name in names if name in known])


def body25_to_coco18(keypoints: np.ndarray) -> np.ndarray:
    """(25, 3) x, y, confidence -> (18, 3) in COCO-18 order."""
    return np.asarray(keypoints)[[BODY_25.index(name) for name in COCO_18]]


def of_colours(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W) CIHP labels of a parse drawn in its colours, uint8 (H, W, 3) RGB, as CIHP_PGN and Graphonomy write it.

    All twenty classes keep their own number, torso skin (10) too. Raises ``ValueError`` for a picture in other colours, or one whose
    colours a resize or JPEG has mixed.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a parse in colours must be uint8 (H, W, 3), not {picture.dtype} {picture.shape}.")
    codes, of = (colours.astype(np.int32) @ (1 << 16, 1 << 8, 1) for colours in (picture, CIHP_PALETTE))
    order = np.argsort(of)
    place = np.searchsorted(of[order], codes).clip(max=len(of) - 1)
    if (strange := of[order][place] != codes).any():
        colour = tuple(int(v) for v in picture[strange][0])
        raise ValueError(
            f"the parse holds colours that are none of CIHP's 20, such as {colour}, on {strange.mean():.2%} of it. Take the picture as the "
            "network wrote it, a PNG at its own size, and resize the labels instead (nearest)."
        )
    return order[place].astype(np.uint8)


CHIN = 0.38
"""How far the chin is from the nose on the way to the neck between the shoulders."""


def with_torso_skin(labels: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """CIHP labels (H, W) whose face ends at the chin: what is below it is torso skin, as parsers without that class (LIP, ATR) do without.

    keypoints: (25, 3) BODY_25; without nose and neck, or where there is torso skin already, the labels come back as they are
    """
    (nose, neck), skin = np.asarray(keypoints)[:2], CIHP.index("torso-skin")
    if not nose[2] > 0 or not neck[2] > 0 or (labels == skin).any():
        return labels
    along = neck[:2] - nose[:2]
    y, x = np.indices(labels.shape)
    x, y, reach = x - nose[0], y - nose[1], max(float(along @ along), 1e-6)
    far, aside = (x * along[0] + y * along[1]) / reach, (x * along[1] - y * along[0]) / reach
    below = (far > CHIN) & (far < 3) & (abs(aside) < 1.5)  # beyond that it is somebody else's face
    return np.where((labels == CIHP.index("face")) & below, skin, labels).astype(np.uint8)
