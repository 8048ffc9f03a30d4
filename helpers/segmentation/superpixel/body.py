"""What is known of the person in a picture, as evidence for clicks: a garment is one thing whatever its colours, an arm is another."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.labels import CIHP, DENSEPOSE_PARTS, LOWER, UPPER, select

_WORN = [CIHP.index(name) for name in (*UPPER, *LOWER)]
"""Garments that may be one where two are told."""
_WHOLE = [CIHP.index("left-arm"), CIHP.index("right-arm")]
"""What a click takes away as a whole, besides sleeves; where a top ends, colours and edges know better."""
_SIDE = 32
"""Of a piece's number: what is below is its class, what is above says on which arm it lies."""
WEIGHT = 2.5
"""How much a piece's name counts beside all other evidence of :data:`evidence.WEIGHTS`."""
SURE = 0.6
"""Of a piece's half-width, from which on inside it its name is relied upon: where it ends colours and edges know better."""
INNER = 0.4
"""Of a piece's half-width, from which on a click means the whole of it: one at its rim may be there to say that the rim is elsewhere."""


def pieces(labels: np.ndarray, parts: np.ndarray | None) -> np.ndarray:
    """uint8 (H, W): ``labels`` (H, W) in CIHP numbering, what is worn above told apart by the arm that it lies on.

    parts: uint8 (H, W), DensePose's, or ``None``: then sleeves are what they hang on
    """
    out = labels.astype(np.uint8)
    if parts is not None:
        worn = select(labels, UPPER)
        for number, side in enumerate(("left", "right"), 1):
            arm = [
                part for part, name in enumerate(DENSEPOSE_PARTS) if name.startswith((f"{side}-upper-arm", f"{side}-lower-arm"))
            ]
            out[worn & np.isin(parts, arm)] += _SIDE * number
    return out


class Known:
    """Of the regions of a picture, what pieces they are of.

    piece: (k,) their numbers; share: (n, k) how much of each region is of each; width: (k,) their half-widths in pixels of the regions
    """

    def __init__(self, found: np.ndarray, index: np.ndarray):
        """``found`` uint8 (h, w), of :func:`pieces`; ``index`` (h, w), the regions."""
        self.piece, place = np.unique(found, return_inverse=True)
        count = int(index.max()) + 1
        table = np.bincount(index.ravel() * len(self.piece) + place.ravel(), minlength=count * len(self.piece)).reshape(
            count, -1
        )
        self.share = table / table.sum(1, keepdims=True)
        depth = [cv2.distanceTransform((found == number).astype(np.uint8), cv2.DIST_L2, 3) for number in self.piece]
        self.width = np.array([each.max() for each in depth])
        self._deep = np.zeros((count, len(self.piece)))
        for column, each in enumerate(depth):
            np.maximum.at(self._deep[:, column], index.ravel(), each.ravel())

    def score(self, node: int) -> np.ndarray:
        """(n,) -1..1: of the garment that a first click on ``node`` means, or of what is none; 0 where it means none for certain.

        Other garments are 0 too: one dress may be taken for two of one colour, and the next click says which it is.
        """
        mine = self.share[node].argmax()
        if self.piece[mine] == 0 or self._deep[node, mine] < INNER * self.width[mine]:
            return np.zeros(len(self.share))
        kind = self.piece % _SIDE
        sign = np.where(kind == kind[mine], 1, np.where(np.isin(kind, _WORN), 0, -1))
        return (self.share * np.clip(self._deep / (SURE * np.maximum(self.width, 1)), 0, 1)) @ sign

    def corrected(self, node: int, wanted: bool, depth: float, others: np.ndarray) -> np.ndarray:
        """(n,) 0..1: how much of each region is of the piece that a further click on ``node`` means, ``depth`` pixels inside a mistake.

        None, where the mistake is too small to be that of a whole piece, or
        ``others``, clicks of the other label, lie on it too; nor where the click is ``wanted`` and something else than a sleeve lies
        there by name: then the names are not to be relied upon.
        """
        mine = self.share[node].argmax()
        piece = self.piece[mine]
        meant = piece >= _SIDE or (not wanted and piece in _WHOLE)
        if not meant or mine in self.share[others].argmax(1) or depth < INNER * self.width[mine]:
            return np.zeros(len(self.share))
        return self.share[:, mine]
