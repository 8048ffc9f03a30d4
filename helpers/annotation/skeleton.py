"""From OpenPose's maps to people: peaks of the joint maps, limbs along the part affinity fields, limbs put together greedily.

Zhe Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017. Two public versions differ in
how they resize picture and maps: ``cubic`` (Hzzone/pytorch-openpose) and ``lanczos`` (yisol/IDM-VTON); both are here, number for number.

Convention: x to the right, y down, image pixels; joints in COCO-18 order.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from helpers.joints import renumbered
from helpers.labels import COCO_18

STRIDE = 8  # image pixels per map pixel
BOX = 368  # px: the height that the network was trained at; one scale of half of it is what both versions run
PEAK = 0.1  # least height of a joint's peak
FIELD = 0.05  # least agreement of one sample with the field
SAMPLES = 10  # along each limb
JOINTS = len(COCO_18)

# The limbs in the order in which people grow: (joint, joint), (x channel, y channel) of the field. The last two (shoulder to ear)
# only ever add to somebody.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14),
    (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
FIELDS = (
    (12, 13), (20, 21), (14, 15), (16, 17), (22, 23), (24, 25), (0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11), (28, 29),
    (30, 31), (34, 35), (32, 33), (36, 37), (18, 19), (26, 27),
)  # fmt: skip
_STARTING = 17


def smart_resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizing to ``size`` (width, height), channel by channel: LANCZOS4 up, AREA down."""
    smaller = sum(size) < sum(picture.shape[:2])
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4
    if picture.ndim == 2 or picture.shape[2] in (1, 3):
        return cv2.resize(picture, size, interpolation=interpolation)
    return np.dstack([cv2.resize(picture[..., c], size, interpolation=interpolation) for c in range(picture.shape[2])])


def network_picture(image: np.ndarray, method: str = "lanczos") -> tuple[np.ndarray, tuple[int, int]]:
    """The network's input for uint8 (H, W, 3) RGB: float32 (3, h, w) BGR in -0.5..0.5, half of 368 high, padded to 8 with grey.

    Returns it with (height, width) before the padding.
    """
    bgr = np.ascontiguousarray(image[..., ::-1])
    scale = 0.5 * BOX / image.shape[0]
    if method == "lanczos":
        small = smart_resize(bgr, (int(image.shape[1] * scale), int(image.shape[0] * scale)))
    else:
        small = cv2.resize(bgr, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    height, width = small.shape[:2]
    padded = np.pad(small, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), constant_values=128)
    return padded.transpose(2, 0, 1).astype(np.float32) / 256 - 0.5, (height, width)


def enlarge(maps: np.ndarray, inner: tuple[int, int], shape: tuple[int, int], method: str = "lanczos") -> np.ndarray:
    """Maps (C, h, w) of the padded picture as float64 (H, W, C) on the image.

    inner: (height, width) of the network's picture without its padding; shape: (H, W) of the image
    """
    maps = np.ascontiguousarray(maps.transpose(1, 2, 0), np.float32)
    size, target = (maps.shape[1] * STRIDE, maps.shape[0] * STRIDE), (shape[1], shape[0])
    if method == "lanczos":
        full = smart_resize(smart_resize(maps, size)[: inner[0], : inner[1]], target)
    else:
        full = cv2.resize(maps, size, interpolation=cv2.INTER_CUBIC)[: inner[0], : inner[1]]
        full = cv2.resize(full, target, interpolation=cv2.INTER_CUBIC)
    return full.astype(np.float64)


def peaks(heat: np.ndarray) -> list[np.ndarray]:
    """For each of the 18 joints float64 (N, 4): x, y, score, running number. ``heat`` is (H, W, 19)."""
    found, count = [], 0
    for joint in range(JOINTS):
        heights = heat[..., joint]
        rows = columns = np.empty(0, int)
        if heights.max() > PEAK:  # a blurred map is nowhere higher than the map
            smooth = gaussian_filter(heights, sigma=3)
            ring = np.pad(smooth, 1)
            top = (smooth >= ring[:-2, 1:-1]) & (smooth >= ring[2:, 1:-1])
            top &= (smooth >= ring[1:-1, :-2]) & (smooth >= ring[1:-1, 2:]) & (smooth > PEAK)
            rows, columns = np.nonzero(top)
        numbers = np.arange(count, count + len(rows))
        found.append(np.column_stack([columns, rows, heights[rows, columns], numbers]).astype(np.float64))
        count += len(rows)
    return found


def limbs(field: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The limbs (K, 3) of one kind: number of the start, number of the end, score; no joint is in two of them.

    field: (H, W, 2) direction of the limb; starts, ends: (N, 4) and (M, 4) as ``peaks`` gives them
    """
    if not len(starts) or not len(ends):
        return np.empty((0, 3))
    vector = ends[None, :, :2] - starts[:, None, :2]  # (N, M, 2)
    length = np.maximum(0.001, np.sqrt(vector[..., 0] ** 2 + vector[..., 1] ** 2))
    direction = vector / length[..., None]
    step = np.arange(SAMPLES).reshape(-1, 1, 1, 1) * (vector / (SAMPLES - 1)) + starts[None, :, None, :2]  # (10, N, M, 2)
    step[-1] = ends[None, :, :2]
    x, y = np.rint(step[..., 0]).astype(int), np.rint(step[..., 1]).astype(int)
    along = field[y, x, 0] * direction[..., 0] + field[y, x, 1] * direction[..., 1]
    # Summed one by one: the reference adds with Python's sum, and numpy's own order could turn a tie.
    score = np.cumsum(along, 0)[-1] / SAMPLES + np.minimum(0.5 * field.shape[0] / length - 1, 0)
    good = (np.count_nonzero(along > FIELD, 0) > 0.8 * SAMPLES) & (score > 0)

    i, j = np.nonzero(good)
    order = np.argsort(-score[i, j], kind="stable")
    used_start, used_end, kept = set(), set(), []
    for a, b in zip(i[order], j[order], strict=True):
        if a not in used_start and b not in used_end:
            used_start.add(a)
            used_end.add(b)
            kept.append((starts[a, 3], ends[b, 3], score[a, b]))
    return np.array(kept).reshape(-1, 3)


def assemble(heat: np.ndarray, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(candidate, subset) of the reference: float64 (N, 4) x, y, score, number; float64 (P, 20) number of each joint or -1, score, joints.

    heat: (H, W, 19), fields: (H, W, 38), as ``enlarge`` gives them
    """
    joints = peaks(heat)
    candidate = np.concatenate(joints)
    people: list[np.ndarray] = []
    for kind, ((a, b), channels) in enumerate(zip(LIMBS, FIELDS, strict=True)):
        for start, end, score in limbs(fields[..., channels], joints[a], joints[b]):
            _grow(people, kind, a, b, start, end, score, candidate)
    subset = np.array(people).reshape(-1, JOINTS + 2)
    return candidate, subset[~((subset[:, -1] < 4) | (subset[:, -2] / np.maximum(subset[:, -1], 1) < 0.4))]


def _grow(
    people: list[np.ndarray], kind: int, a: int, b: int, start: float, end: float, score: float, candidate: np.ndarray
) -> None:
    """Add one limb to the people so far: to the one who has an end of it, joining two who have one each, or as somebody new."""
    having = [person for person in people if person[a] == start or person[b] == end][:2]
    gain = candidate[int(end), 2] + score
    if not having:
        if kind < _STARTING:
            person = np.full(JOINTS + 2, -1.0)
            person[a], person[b] = start, end
            person[-1], person[-2] = 2, candidate[int(start), 2] + gain
            people.append(person)
        return
    first = having[0]
    if len(having) == 2 and not np.any((first[:-2] >= 0) & (having[1][:-2] >= 0)):
        first[:-2] += having[1][:-2] + 1
        first[-2:] += having[1][-2:]
        first[-2] += score
        people[:] = [person for person in people if person is not having[1]]
    elif len(having) == 2 or first[b] != end:
        first[b] = end
        first[-1] += 1
        first[-2] += gain


def everyone(candidate: np.ndarray, subset: np.ndarray, shape: tuple[int, int]) -> list[np.ndarray]:
    """Each person's own joints as float32 (18, 3) x, y, score (all 0: not found), the one who fills the picture most and stands
    nearest to its middle first. ``shape`` is (H, W).
    """
    people = []
    for person in subset:
        numbers = person[:JOINTS].astype(int)
        joints = np.zeros((JOINTS, 3), np.float32)
        joints[numbers >= 0] = candidate[numbers[numbers >= 0], :3]
        people.append(joints)
    return sorted(people, key=lambda joints: -prominence(joints, shape))


def prominence(joints: np.ndarray, shape: tuple[int, int]) -> float:
    """How much of the picture a person takes, less towards the sides."""
    seen = joints[joints[:, 2] > 0, :2]
    if not len(seen):
        return 0.0
    low, high = seen.min(0), seen.max(0)
    off = abs((low[0] + high[0]) / shape[1] - 1)  # 0 in the middle, 1 at the edge
    return float(np.linalg.norm(high - low) * (1 - 0.5 * min(off, 1)))


def choose(people: list[np.ndarray], pick: str | int, mask: np.ndarray | None = None) -> int:
    """Who is meant of ``people``, joints (N, 3) x, y, confidence each, the most prominent first.

    pick: a number counted from the left, from 0, or ``auto``: whom ``mask`` is on, bool (H, W) of what somebody wears, else the first
    Raises ``ValueError`` where there is nobody, or no such number.
    """
    if not people:
        raise ValueError(
            "no person was found in the photograph: use a photograph that shows one person from the head to the thighs at "
            "least, upright, not too small and not hidden."
        )
    if pick == "auto" and mask is not None and mask.any():
        away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
        return int(np.argmin([_mean_distance(joints, away) for joints in people]))
    if pick == "auto":
        return 0
    order = sorted(range(len(people)), key=lambda i: people[i][people[i][:, 2] > 0, 0].mean())
    return order[index_of(int(pick), len(order))]


def _mean_distance(joints: np.ndarray, away: np.ndarray) -> float:
    """Mean of ``away`` (H, W) under the joints that were seen."""
    x, y = np.clip(joints[joints[:, 2] > 0, :2].round().astype(int), 0, np.array(away.shape[::-1]) - 1).T
    return float(away[y, x].mean())


def index_of(pick: int, count: int) -> int:
    """``pick`` if there are so many; ``ValueError`` else."""
    if pick >= count:
        raise ValueError(
            f"pick is {pick}, but {count} {'person was' if count == 1 else 'people were'} found: 0..{count - 1}, counted from the left."
        )
    return pick


def to_body25(joints: np.ndarray) -> np.ndarray:
    """(18, 3) COCO-18 -> float32 (25, 3) BODY_25: the middle of the hips where both are seen, no toes and heels."""
    sure = joints[:, 2:].clip(0, 1)  # peaks of enlarged maps overshoot a little
    return renumbered(np.hstack([joints[:, :2], sure]).astype(np.float32), "coco_18", "body_25")
