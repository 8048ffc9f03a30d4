"""What a try-on returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from helpers.images import difference, paste_back, resize

_WORDS = {"keypoints": "joints", "labels": "parse", "densepose": "DensePose"}


@dataclass(frozen=True)
class TryOn:
    """A person in another garment.

    image:      uint8 (H, W, 3) RGB, the size of the person's picture
    mask:       bool (H, W), where the new cloth lies
    changed:    bool (H, W), every pixel that may differ from the person's picture: the cloth, what had to be invented where the
                old cloth went away, and the soft edge. Outside it the picture is the person's own, bit by bit.
    confidence: 0..1, how far the result can be trusted; ``None`` from an engine that cannot tell
    notes:      what did not fit or had to be guessed, in plain words
    steps:      name -> uint8 picture (h, w, 3), in the order in which they were made, for looking at
    data:       name -> array, the same as numbers: landmarks, masks, maps
    seconds:    time it took
    engine:     name of the engine that made it
    licence:    the terms of that engine's weights and of whoever made what it worked from, which the picture comes with; empty where there
                are none
    made_by:    name -> who made it, for each annotation that the engine could work from, ``cloth mask`` and ``what may change``: an
                engine's name, with ``(derived)`` where it has no network for that, ``backdrop``, ``given``, or ``given and`` the
                engine that added to it
    """

    image: np.ndarray
    mask: np.ndarray
    changed: np.ndarray
    confidence: float | None = 1.0
    notes: tuple[str, ...] = ()
    steps: dict[str, np.ndarray] = field(default_factory=dict)
    data: dict[str, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0
    engine: str = ""
    licence: str = ""
    made_by: dict[str, str] = field(default_factory=dict)

    @property
    def credits(self) -> str:
        """Who made what in a line: ``mediapipe: joints, hands · mediapipe (derived): parse · backdrop: cloth mask · drape: picture``."""
        by: dict[str, list[str]] = {}
        for name, who in [*self.made_by.items(), ("picture", self.engine)]:
            by.setdefault(who, []).append(_WORDS.get(name, name))
        return " · ".join(f"{who}: {', '.join(names)}" for who, names in by.items())

    def at_size_of(self, original: np.ndarray) -> TryOn:
        """The same result on the picture it was reduced from, uint8 (H, W, 3): pixels away from the change are the original's own."""
        size = original.shape[1], original.shape[0]
        if size == (self.image.shape[1], self.image.shape[0]):
            return self
        changed = resize(self.changed, size)
        image = paste_back(original, resize(self.image, size), changed)
        changed |= difference(image, original) > 0
        return replace(self, image=image, mask=resize(self.mask, size), changed=changed)
