"""Poses as data, and the rigid bone transforms that bring any shaped body into them.

A pose says where limbs go, not how far joints turn: directions of upper arms, bends of elbows, places of feet. So one pose fits
every build, feet stay flat on the ground, and arms keep clear of wide hips.

Convention: figure's own frame, +x its left, +y up, +z ahead; angles in degrees; a left limb is described, the right is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from helpers.mannequin.body.template import Bones
from helpers.mannequin.mesh import unit

DOWN, SIDE, AHEAD = np.array([0.0, -1, 0]), np.array([1.0, 0, 0]), np.array([0.0, 0, 1])


@dataclass(frozen=True)
class Arm:
    """``out`` and ``ahead``: the upper arm off the vertical, sideways and forwards; ``bend`` of the elbow in a plane turned
    inwards by ``inward`` from straight ahead; ``palm``: where the palm faces, 0 the thigh, 90 backwards; ``curl`` of each finger
    joint; ``shoulder``: drop of the collar bone."""

    out: float = 20.0
    ahead: float = 0.0
    bend: float = 20.0
    inward: float = 40.0
    palm: float = 25.0
    curl: float = 7.0
    shoulder: float = 5.0


@dataclass(frozen=True)
class HandOnHip(Arm):
    """The palm rests beside the hip: the wrist ``gap`` metres off it (cloth goes between), ``above`` the hip joint in leg lengths
    and ``along`` metres ahead of it; ``elbow`` and ``fingers`` say where they point."""

    gap: float = 0.047
    above: float = 0.13
    along: float = -0.03
    elbow: tuple[float, float, float] = (0.9, 0.0, -0.45)
    fingers: tuple[float, float, float] = (0.0, -0.55, 0.80)
    curl: float = 6.0


@dataclass(frozen=True)
class Leg:
    """``aside`` and ``ahead``: the ankle from below the hip joint, in leg lengths; ``turn``: toes outwards; ``heel``: how far
    the heel is raised, degrees about the ball of the foot."""

    aside: float = -0.01
    ahead: float = 0.0
    turn: float = 9.0
    heel: float = 0.0


@dataclass(frozen=True)
class Pose:
    """Both arms and legs, then the trunk: ``sway`` of the pelvis towards the left in leg lengths, ``hips`` and ``shoulders``
    tilted (left side up) and turned (left side back), the head tilted (towards its left) and turned (to its left)."""

    left_arm: Arm = Arm()
    right_arm: Arm = Arm()
    left_leg: Leg = Leg()
    right_leg: Leg = Leg()
    sway: float = 0.0
    hips: tuple[float, float] = (0.0, 0.0)
    shoulders: tuple[float, float] = (0.0, 0.0)
    head: tuple[float, float] = (0.0, 0.0)


TABLE = {
    "standing": Pose(),
    "relaxed": Pose(
        Arm(out=17, bend=20, ahead=0),
        Arm(out=19, bend=24, ahead=3),
        Leg(aside=0.0, turn=8),
        Leg(aside=0.03, ahead=0.05, turn=16),
        sway=0.02,
        hips=(2.0, 2.0),
        shoulders=(-1.0, -1.0),
        head=(1.5, 3.0),
    ),
    "contrapposto": Pose(
        Arm(out=22, bend=18),
        Arm(out=17, bend=26, ahead=2),
        Leg(aside=-0.045, turn=10),
        Leg(aside=0.05, ahead=0.08, turn=20),
        sway=0.05,
        hips=(5.0, 4.0),
        shoulders=(-3.0, -3.0),
        head=(2.0, 4.0),
    ),
    "hand on hip": Pose(
        Arm(out=20, bend=18),
        HandOnHip(),
        Leg(aside=-0.03, turn=9),
        Leg(aside=0.04, ahead=0.05, turn=18),
        sway=0.03,
        hips=(3.0, 2.0),
        shoulders=(-2.0, -2.0),
        head=(1.0, 3.0),
    ),
    "walking": Pose(
        Arm(out=17, ahead=-14, bend=12),
        Arm(out=17, ahead=16, bend=24),
        Leg(aside=-0.05, ahead=0.2, turn=5),
        Leg(aside=-0.05, ahead=-0.22, turn=6, heel=32),
        hips=(0.0, 4.0),
        shoulders=(0.0, -4.0),
    ),
}


def pose_bones(bones: Bones, rest: np.ndarray, skin: np.ndarray, pose: Pose) -> np.ndarray:
    """(B, 4, 4) rigid transforms from ``rest`` (V, 3) to the ``pose``; ``skin`` (n,) rows of ``rest`` that are skin.

    The ankles are placed on flat (or rolling) feet, legs by two-bone inverse kinematics, the trunk in between; x = z = 0 lies
    between head and feet.
    """
    return _Skeleton(bones, rest, skin).take(pose)


class _Skeleton:
    """A shaped body's joints, and the world rotations given to its bones so far; a bone without one moves with its parent."""

    def __init__(self, bones: Bones, rest: np.ndarray, skin: np.ndarray) -> None:
        self.bones = bones
        self.at, self.tail = bones.heads @ rest, bones.tails @ rest
        self.skin = rest[skin]
        self.turns: dict[str, np.ndarray] = {}

    def head(self, name: str) -> np.ndarray:
        return self.at[self.bones.index(name)]

    def take(self, pose: Pose) -> np.ndarray:
        hips, chest = _tilt_turn(pose.hips), _tilt_turn(pose.shoulders)
        head = _tilt_turn((-pose.head[0], pose.head[1]))
        self.turns["root"] = hips
        for share, bone in enumerate(("spine05", "spine04", "spine03", "spine02", "spine01"), start=1):
            self.turns[bone] = _between(hips, chest, share / 5)
        for share, bone in enumerate(("neck01", "neck02", "neck03", "head"), start=1):
            self.turns[bone] = _between(chest, head, share / 4)
        self._arm(pose.left_arm, ".L", chest)
        self._arm(pose.right_arm, ".R", chest)
        return self._transforms(self._legs(pose))

    # --- arms

    def _arm(self, arm: Arm, side: str, chest: np.ndarray) -> None:
        mirror = np.array([1.0 if side == ".L" else -1.0, 1, 1])
        shoulder, elbow, wrist = (self.head(bone + side) for bone in ("upperarm01", "lowerarm01", "wrist"))
        drop = _axis_turn(AHEAD, -arm.shoulder * mirror[0])
        for bone, share in (("clavicle", 0.6), ("shoulder01", 1.0)):
            self.turns[bone + side] = chest @ _between(np.eye(3), drop, share)

        if isinstance(arm, HandOnHip):
            upper, fore, fingers, facing = self._to_hip(arm, side, mirror)
            hinge = mirror[0] * np.cross(upper, fore)
        else:
            upper, fore, hinge = (chest @ way for way in self._hanging(arm, side, mirror))
            fingers, facing = fore, chest @ _axis_turn(DOWN, -mirror[0] * arm.palm) @ (-mirror[0] * SIDE)
        rest_upper, rest_fore = unit(elbow - shoulder), unit(wrist - elbow)
        rest_hinge = mirror[0] * np.cross(rest_upper, rest_fore)
        upper_turn = _frame(upper, hinge) @ _frame(rest_upper, rest_hinge).T
        fore_turn = _frame(fore, hinge) @ _frame(rest_fore, rest_hinge).T
        # The upper arm turns about itself from the shoulder down: half at its first bone, all at its second.
        swing = _swing(chest @ drop, upper_turn, rest_upper)
        self.turns["upperarm01" + side] = _between(swing, upper_turn, 0.5)
        self.turns["upperarm02" + side] = upper_turn

        hand = self._hand(side, fingers, facing)
        untwisted = _swing(fore_turn, hand, rest_fore)  # the hand's turn without the forearm's twist
        twist = hand @ untwisted.T
        self.turns["lowerarm01" + side] = _between(np.eye(3), twist, 0.3) @ fore_turn
        self.turns["lowerarm02" + side] = _between(np.eye(3), twist, 0.75) @ fore_turn
        self.turns["wrist" + side] = hand
        self._fingers(arm, side, hand)

    def _hanging(self, arm: Arm, side: str, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Directions in the chest's frame of upper arm, forearm and elbow hinge, the hand clear of the hips."""
        shoulder, elbow, wrist = (self.head(bone + side) for bone in ("upperarm01", "lowerarm01", "wrist"))
        hip, knee = self.head("upperleg01.L"), self.head("lowerleg01.L")
        half = self._half_width(hip[1] * 0.72 + knee[1] * 0.28, hip[1] + 0.06)
        a, b = np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)
        least = np.degrees(np.arcsin(np.clip((half + 0.085 - abs(shoulder[0])) / (a + b), -0.5, 0.8)))
        least += arm.bend * np.sin(np.radians(arm.inward)) * b / (a + b)  # what the elbow's bend takes away
        out, ahead = np.radians([max(arm.out, least), arm.ahead])
        upper = np.array([np.sin(out) * np.cos(ahead), -np.cos(out) * np.cos(ahead), np.sin(ahead)])
        toward = _axis_turn(DOWN, arm.inward) @ AHEAD  # where the forearm swings
        hinge = unit(np.cross(upper, toward))
        fore = _axis_turn(hinge, arm.bend) @ upper
        return upper * mirror, fore * mirror, hinge * mirror

    def _to_hip(self, arm: HandOnHip, side: str, mirror: np.ndarray) -> tuple[np.ndarray, ...]:
        """World directions of upper arm, forearm, fingers and palm that lay the hand on the hip."""
        hip, root, hips = self.head("upperleg01" + side), self.at[0], self.turns["root"]
        height = hip[1] + arm.above * self._reach(side)
        target = np.array([mirror[0] * self._half_width(height - 0.02, height + 0.02), height, hip[2] + arm.along])
        normal, level = self._side(mirror, target + np.array([0, -0.05, 0.06]))  # under the palm
        target += (level + arm.gap - target @ normal) * normal
        target = root + hips @ (target - root)
        shoulder = self._places(root)[self.bones.index("upperarm01" + side)]
        upper, fore, wrist = (self.head(bone + side) for bone in ("upperarm01", "lowerarm01", "wrist"))
        elbow = _third_point(shoulder, target, _apart(upper, fore), _apart(fore, wrist), np.array(arm.elbow) * mirror)
        fingers = np.array(arm.fingers)
        return elbow - shoulder, target - elbow, hips @ (fingers - normal * (fingers @ normal)), -hips @ normal

    def _side(self, mirror: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, float]:
        """The plane that touches the trunk's side round the height and depth of ``middle``: its normal, its place along it."""
        points = self.skin[(self.skin[:, 0] * mirror[0] > 0) & (np.abs(self.skin[:, 0]) < self._trunk())]
        near = points[np.linalg.norm((points - middle)[:, 1:], axis=1) < 0.085]
        near = near[np.abs(near[:, 0]) > 0.5 * np.abs(near[:, 0]).max()]
        normal = np.linalg.svd(near - near.mean(axis=0), full_matrices=False)[2][2]
        normal = normal * np.sign(normal[0] * mirror[0])
        return normal, float((near @ normal).max())

    def _half_width(self, low: float, high: float) -> float:
        """Of the trunk between two heights."""
        band = self.skin[(self.skin[:, 1] > low) & (self.skin[:, 1] < high), 0]
        return float(np.abs(band[np.abs(band) < self._trunk()]).max())

    def _trunk(self) -> float:
        """Arms at rest are farther out than this."""
        return 2.6 * self.head("upperleg01.L")[0] + 0.02

    def _hand(self, side: str, fingers: np.ndarray, facing: np.ndarray) -> np.ndarray:
        """The hand's rotation that points its middle finger along ``fingers`` and its palm towards ``facing``."""
        wrist, index, middle, little = (self.head(b + side) for b in ("wrist", "finger2-1", "finger3-1", "finger5-1"))
        palm = np.cross(little - wrist, index - wrist) * (1.0 if side == ".L" else -1.0)
        along = middle - wrist
        return _frame(fingers, np.cross(fingers, facing)) @ _frame(along, np.cross(along, palm)).T

    def _fingers(self, arm: Arm, side: str, hand: np.ndarray) -> None:
        sign = 1.0 if side == ".L" else -1.0
        wrist, index, little = (self.head(b + side) for b in ("wrist", "finger2-1", "finger5-1"))
        palm = sign * unit(np.cross(little - wrist, index - wrist))
        middle = self.head("finger3-2" + side) - self.head("finger3-1" + side)
        for finger in range(1, 6):
            bend = arm.curl * (0.4 if finger == 1 else 0.8 + 0.1 * (finger - 2))
            first = self.bones.index(f"finger{finger}-1{side}")
            along = self.tail[first] - self.at[first]
            hinge = unit(np.cross(along, palm))
            # Relaxed fingers lie together.
            spread = np.degrees(np.arctan2(palm @ np.cross(along, middle), along @ middle)) * (0.75 if finger > 1 else 0.5)
            together = _axis_turn(palm, spread)
            for joint, share in ((1, 1.0 if finger > 1 else 0.0), (2, 2.4), (3, 3.4)):
                self.turns[f"finger{finger}-{joint}{side}"] = hand @ together @ _axis_turn(hinge, bend * share)

    # --- legs

    def _legs(self, pose: Pose) -> np.ndarray:
        """Places both feet, returns where the pelvis (root) goes."""
        sides = ((".L", 1.0, pose.left_leg), (".R", -1.0, pose.right_leg))
        root, turn = self.at[0], self.turns["root"]
        length = np.mean([self._reach(side) for side, *_ in sides])
        feet = []
        for side, sign, leg in sides:
            hip, ankle = self.head("upperleg01" + side), self.head("foot" + side)
            yaw = _axis_turn(-DOWN, sign * leg.turn)
            foot = yaw @ _axis_turn(SIDE, leg.heel)
            ball = self.head("toe3-1" + side) * [1, 0, 1]
            place = np.array([hip[0] + sign * leg.aside * length, 0, ankle[2] + leg.ahead * length])
            target = place + yaw @ ((ball - ankle) * [1, 0, 1]) + foot @ (ankle - ball)
            feet.append((side, sign, leg, yaw, foot, target))
            self.turns["foot" + side] = foot
            for toe in range(1, 6):  # they stay flat where the heel rises
                self.turns[f"toe{toe}-1{side}"] = yaw
        # The pelvis is as high as the straighter leg allows.
        shift = np.array([pose.sway * length, 0, 0])
        heights = []
        for side, _, _, _, _, target in feet:
            hip = root + shift + turn @ (self.head("upperleg01" + side) - root)
            flat = np.hypot(*(hip - target)[[0, 2]])
            heights.append(target[1] + np.sqrt(self._reach(side) ** 2 - flat**2) - hip[1])
        pelvis = root + shift + [0, min(heights), 0]
        for side, sign, leg, _, _, target in feet:
            hip = pelvis + turn @ (self.head("upperleg01" + side) - root)
            self._leg(side, sign * leg.turn, hip, target)
        middle = (np.mean([foot[-1] for foot in feet], axis=0) + pelvis) / 2
        return pelvis - middle * [1, 0, 1]

    def _reach(self, side: str) -> float:
        return float(np.linalg.norm(self.head("upperleg01" + side) - self.head("foot" + side)))

    def _leg(self, side: str, turn: float, hip: np.ndarray, ankle: np.ndarray) -> None:
        """Two-bone inverse kinematics; the knee points ahead, turned out with the toes."""
        rest_hip, rest_knee, rest_ankle = (self.head(b + side) for b in ("upperleg01", "lowerleg01", "foot"))
        toward = _axis_turn(-DOWN, 0.8 * turn) @ AHEAD
        knee = _third_point(hip, ankle, _apart(rest_hip, rest_knee), _apart(rest_knee, rest_ankle), toward)
        thigh, shin, hinge = knee - hip, ankle - knee, np.cross(ankle - hip, toward)
        for bone, now, before in (("upperleg", thigh, rest_knee - rest_hip), ("lowerleg", shin, rest_ankle - rest_knee)):
            rotation = _frame(now, hinge) @ _frame(before, np.cross(before, AHEAD)).T
            for half in ("01", "02"):
                self.turns[bone + half + side] = rotation

    # --- assembly

    def _world_turns(self) -> np.ndarray:
        out = np.tile(np.eye(3), (len(self.at), 1, 1))
        for row, (name, parent) in enumerate(zip(self.bones.names, self.bones.parents, strict=True)):
            out[row] = self.turns.get(name, out[parent])
        return out

    def _places(self, pelvis: np.ndarray) -> np.ndarray:
        """(B, 3) posed joints when the root is at ``pelvis``."""
        turns, out = self._world_turns(), np.empty_like(self.at)
        for row, parent in enumerate(self.bones.parents):
            out[row] = pelvis if parent < 0 else out[parent] + turns[parent] @ (self.at[row] - self.at[parent])
        return out

    def _transforms(self, pelvis: np.ndarray) -> np.ndarray:
        out = np.tile(np.eye(4), (len(self.at), 1, 1))
        out[:, :3, :3] = self._world_turns()
        out[:, :3, 3] = self._places(pelvis) - np.einsum("bij,bj->bi", out[:, :3, :3], self.at)
        return out


def _third_point(start: np.ndarray, end: np.ndarray, a: float, b: float, toward: np.ndarray) -> np.ndarray:
    """The joint between two bones of lengths ``a`` and ``b`` from ``start`` to ``end``, on the side that is ``toward``."""
    line = end - start
    reach = min(float(np.linalg.norm(line)), (a + b) * 0.9995)
    along = (a * a + reach * reach - b * b) / (2 * reach)
    x = unit(line)
    return start + along * x + np.sqrt(max(a * a - along * along, 0.0)) * unit(toward - x * (x @ toward))


def _apart(start: np.ndarray, end: np.ndarray) -> float:
    return float(np.linalg.norm(end - start))


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 3) orthonormal columns: ``first``, then what of ``second`` is square to it, then their cross product."""
    x = unit(first)
    y = unit(second - x * (x @ second))
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _axis_turn(axis: np.ndarray, degrees: float) -> np.ndarray:
    return Rotation.from_rotvec(np.radians(degrees) * unit(axis)).as_matrix()


def _tilt_turn(angles: tuple[float, float]) -> np.ndarray:
    """Left side up by the first angle, left side back by the second."""
    return _axis_turn(-DOWN, angles[1]) @ _axis_turn(AHEAD, angles[0])


def _between(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The rotation ``share`` of the way from ``start`` to ``end``."""
    step = Rotation.from_matrix(end @ start.T).as_rotvec()
    return Rotation.from_rotvec(share * step).as_matrix() @ start


def _swing(start: np.ndarray, end: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """``start`` moved the shortest way so that ``axis`` points where ``end`` takes it: ``end`` without its twist."""
    before, after = unit(start @ axis), unit(end @ axis)
    turn = np.cross(before, after)
    angle = np.arctan2(np.linalg.norm(turn), before @ after)
    return start if angle < 1e-9 else _axis_turn(turn, np.degrees(angle)) @ start
