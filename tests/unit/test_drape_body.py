"""The 2-D try-on where the limbs are known: drawn figures, so that what the picture has to be is known too."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

import helpers
from helpers import weights
from helpers.garment import Garment
from helpers.labels import BODY_25, CIHP
from helpers.person import Person
from helpers.tryon.drape.body import body_of
from helpers.tryon.drape.engine import Drape
from helpers.tryon.drape.strands import hair_share
from helpers.tryon.drape.wearer import cloth_called_hair, sleeves_called_arms

H, W, X = 512, 384, 192
_SKIN, _BACK, _JEANS = (214, 168, 140), (205, 208, 212), (60, 70, 110)
_OLD, _NEW = (120, 170, 120), (200, 60, 50)
_ARMS = {"left": ((142, 140), (124, 220), (116, 292)), "right": ((242, 140), (260, 220), (268, 292))}
_LEGS = {"left": ((168, 300), (166, 390), (165, 480)), "right": ((216, 300), (218, 390), (219, 480))}


def _line(points: np.ndarray | tuple, width: int, share: float = 1.0) -> np.ndarray:
    """bool (H, W): a limb of that width down to a share of its length."""
    out, points = np.zeros((H, W), np.uint8), np.array(points, float)
    upper, lower = min(2 * share, 1.0), max(2 * share - 1, 0.0)
    ends = [points[0], points[0] + upper * (points[1] - points[0])]
    ends += [points[1] + lower * (points[2] - points[1])] if lower else []
    cv2.polylines(out, [np.round(ends).astype(np.int32)], False, 1, width)
    return out > 0


def _area(*points: tuple[float, float]) -> np.ndarray:
    out = np.zeros((H, W), np.uint8)
    cv2.fillPoly(out, [np.array(points, np.int32)], 1)
    return out > 0


def _top(sleeve: float, hem: int = 300) -> np.ndarray:
    """bool (H, W): a top on the figure, with sleeves down to a share of the arms."""
    trunk = _area((168, 112), (216, 112), (254, 128), (242, 190), (236, hem), (148, hem), (142, 190), (130, 128))
    for points in _ARMS.values():
        trunk |= _line(points, 30, sleeve) if sleeve else np.zeros((H, W), bool)
    return trunk & ~_area((172, 100), (212, 100), (192, 128))


def _figure(sleeve: float, cloth: tuple[int, int, int] = _OLD, hem: int = 300) -> Person:
    """Somebody in a top and trousers, with labels and joints."""
    image, labels = np.full((H, W, 3), _BACK, np.uint8), np.zeros((H, W), np.uint8)

    def draw(where: np.ndarray, colour: tuple[int, int, int], name: str) -> None:
        image[where], labels[where] = colour, CIHP.index(name)

    for points in _LEGS.values():
        draw(_line(points, 44), _JEANS, "pants")
    draw(_area((148, 250), (236, 250), (240, 320), (144, 320)), _JEANS, "pants")
    draw(_area((176, 80), (208, 80), (230, 124), (154, 124)), _SKIN, "torso-skin")
    draw(cv2.ellipse(np.zeros((H, W), np.uint8), (X, 60), (26, 34), 0, 0, 360, 1, -1) > 0, _SKIN, "face")
    for side, points in _ARMS.items():
        draw(_line(points, 22, 0.5) | _line(points, 16), _SKIN, f"{'right' if side == 'left' else 'left'}-arm")
        end = np.array(points[2]) + np.array([-2, 16])
        hand = cv2.circle(np.zeros((H, W), np.uint8), tuple(int(v) for v in end), 14, 1, -1) > 0
        draw(hand, _SKIN, f"{'right' if side == 'left' else 'left'}-arm")
    draw(_top(sleeve, hem), cloth, "upper-clothes")
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return Person(np.clip(image + noise, 0, 255).astype(np.uint8), keypoints=_joints(), labels=labels)


def _joints() -> np.ndarray:
    known = {"nose": (X, 64), "neck": (X, 140), "mid-hip": (X, 300)}
    for side, own in (("left", "right"), ("right", "left")):  # the picture's, the person's
        known |= {f"{own}-{name}": at for name, at in zip(("shoulder", "elbow", "wrist"), _ARMS[side], strict=True)}
        known |= {f"{own}-{name}": at for name, at in zip(("hip", "knee", "ankle"), _LEGS[side], strict=True)}
    out = np.zeros((25, 3), np.float32)
    for name, at in known.items():
        out[BODY_25.index(name)] = (*at, 1)
    return out


def _pictured(sleeve: float, cloth: tuple[int, int, int] = _NEW, hem: int = 300) -> Garment:
    """The product photograph of the top that :func:`_figure` wears, arms spread."""
    shape = _area((168, 112), (216, 112), (254, 128), (242, 190), (236, hem), (148, hem), (142, 190), (130, 128))
    for sign in (-1, 1) if sleeve else ():
        a, b = np.array([X + sign * 50.0, 146.0]), np.array([X + sign * (36 + 130 * sleeve), 132 + 130 * sleeve])
        shape |= cv2.line(np.zeros((H, W), np.uint8), *(tuple(int(v) for v in p) for p in (a, b)), 1, 34) > 0
    shape &= ~_area((172, 100), (212, 100), (192, 128))
    image = np.full((H, W, 3), 245, np.uint8)
    image[shape] = cloth
    return Garment(image, shape, "upper")


def _like(image: np.ndarray, colour: tuple[int, int, int], reach: int = 60) -> np.ndarray:
    return np.abs(image.astype(int) - colour).sum(2) < reach


def test_arms_are_the_pictures_left_and_right_also_from_behind() -> None:
    joints, nothing = _joints(), np.zeros((H, W), bool)
    turned = joints.copy()
    for a, b in ((2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14)):
        turned[[a, b]] = turned[[b, a]]
    for points in (joints, turned):
        body = body_of(points, nothing, nothing, nothing)
        assert body is not None
        assert body.arms["left"].axis[0] == pytest.approx(_ARMS["left"][0])
        outer, inner = body.arms["left"].edges(0, 1)
        assert (outer[:, 0] < inner[:, 0]).all()
    joints[BODY_25.index("left-elbow"), 2] = 0
    assert set(body_of(joints, nothing, nothing, nothing).arms) == {"left"}
    joints[BODY_25.index("left-shoulder"), 2] = 0
    assert body_of(joints, nothing, nothing, nothing) is None


def test_an_arm_under_a_wide_sleeve_is_no_wider_than_arms_are() -> None:
    nothing = np.zeros((H, W), bool)
    body = body_of(_joints(), nothing, _line(_ARMS["left"], 60) | _line(_ARMS["right"], 20), nothing)
    widths = {side: 2 * limb.half / body.unit for side, limb in body.arms.items()}
    assert np.median(widths["left"][4:16]) < 0.25  # of the distance between the shoulders' joints
    assert np.median(widths["left"][20:30]) < 0.2
    assert np.median(widths["right"][4:16]) * body.unit <= 20  # and in no tight one


def test_a_bare_arm_ends_where_the_trunks_cloth_begins() -> None:
    bare, nothing = _line(_ARMS["left"], 26), np.zeros((H, W), bool)
    cloth = _area((120, 100), (260, 100), (260, 300), (120, 300)) & ~bare
    body = body_of(_joints(), bare, cloth, nothing)
    assert 2 * np.median(body.arms["left"].half[5:28]) == pytest.approx(26, abs=4)


def test_spots_of_a_mask_on_what_is_worn_below_are_left() -> None:
    person, mask = _figure(0.9), _top(0.9)
    spots = _area((155, 315), (180, 315), (180, 330), (155, 330))
    result, clean = (helpers.try_on(person, _pictured(0.9), mask=m, engine="drape") for m in (mask | spots, mask))
    assert (result.image[spots] == person.image[spots]).mean() > 0.9
    assert (result.mask ^ clean.mask).sum() < 0.01 * clean.mask.sum()


def test_a_bare_arm_is_as_wide_as_it_is_seen() -> None:
    nothing = np.zeros((H, W), bool)
    bare = _line(_ARMS["left"], 30) | _line(_ARMS["right"], 24)
    body = body_of(_joints(), bare, nothing, nothing)
    assert 2 * np.median(body.arms["left"].half[5:28]) == pytest.approx(30, abs=4)
    assert 2 * np.median(body.arms["right"].half[5:28]) == pytest.approx(24, abs=4)


@pytest.mark.parametrize(("old", "new"), [(0.0, 0.9), (0.9, 0.0), (0.9, 0.4), (0.35, 0.9)])
def test_sleeves_of_another_length_follow_the_arms(old: float, new: float) -> None:
    person = _figure(old)
    result = helpers.try_on(person, _pictured(new), engine="drape")
    truth = _figure(new, _NEW)
    assert not _like(result.image, _OLD).sum() > 0.01 * _top(old).sum()  # nothing of the old cloth
    assert (result.mask & _top(new)).sum() / (result.mask | _top(new)).sum() > 0.85
    skin = (truth.labels == CIHP.index("left-arm")) & _top(old) & ~_top(min(new + 0.4, 1.0) if new else 0.0)
    if skin.any():
        assert (np.abs(result.image[skin].astype(int) - _SKIN).sum(1) < 110).mean() > 0.85
        assert result.image[skin][:, 0].std() > 6  # rounded, not one colour


def test_cloth_never_lies_on_a_face_on_hair_or_on_a_hand() -> None:
    person = _figure(0.35)
    hand = np.zeros((H, W), bool)
    hand[210:240, 170:200] = True  # in front of the garment
    hair = _area((160, 60), (172, 60), (178, 190), (162, 190))
    person.image[hand], person.labels[hand] = _SKIN, CIHP.index("left-arm")
    person.image[hair], person.labels[hair] = (60, 40, 30), CIHP.index("hair")
    points = np.zeros((2, 21, 3), np.float32)
    columns, rows = np.meshgrid(np.linspace(172, 197, 7), np.linspace(212, 237, 3))
    points[0] = np.column_stack([columns.ravel(), rows.ravel(), np.ones(21)])
    person = replace(person, hands=points)
    for sleeve, hem in ((0.9, 300), (0.0, 200)):
        mask = person.labels == CIHP.index("upper-clothes")
        result = helpers.try_on(person, _pictured(sleeve, hem=hem), mask=mask, engine="drape")
        face = person.labels == CIHP.index("face")
        within = cv2.erode(hair.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        hands = cv2.erode(hand.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        for kept in (face, within, hands):
            assert (result.image[kept] == person.image[kept]).all()
        assert not (result.mask & (face | hair | hands)).any()


def test_sleeves_that_a_label_map_calls_arms_are_cloth() -> None:
    person = _figure(0.9)
    worn = person.labels == CIHP.index("upper-clothes")
    called = worn & (_line(_ARMS["left"], 40) & ~_area((140, 100), (244, 100), (244, 300), (140, 300)))
    person.labels[called] = CIHP.index("right-arm")
    arms = np.isin(person.labels, (CIHP.index("left-arm"), CIHP.index("right-arm")))
    lab = cv2.cvtColor(person.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    face = person.labels == CIHP.index("face")
    found = sleeves_called_arms(lab, worn & ~called, arms, face)
    assert (found & called).sum() > 0.9 * called.sum()
    assert (found & ~called).sum() < 0.05 * called.sum()
    result = helpers.try_on(person, _pictured(0.35), engine="drape")
    assert _like(result.image, _OLD).sum() < 0.02 * worn.sum()


def test_hair_of_the_cloths_colour_stays_hair() -> None:
    person = _figure(0.35, cloth=(60, 40, 30))
    hair = _area((150, 30), (234, 30), (234, 180), (214, 180), (214, 90), (170, 90), (170, 180), (150, 180))
    lab = cv2.cvtColor(
        np.where(hair[..., None], np.uint8([62, 42, 32]), person.image).astype(np.float32) / 255, cv2.COLOR_RGB2LAB
    )
    worn = (person.labels == CIHP.index("upper-clothes")) & ~hair
    assert not cloth_called_hair(lab, worn, hair).any()


def test_a_hair_mask_that_is_too_large_ends_where_the_colours_say() -> None:
    image = np.full((H, W, 3), _OLD, np.uint8)
    hair, cloth = _area((150, 0), (250, 0), (250, 200), (150, 200)), _area((100, 150), (300, 150), (300, 500), (100, 500))
    image[hair] = (70, 45, 30)
    lab = cv2.cvtColor((image + np.random.default_rng(0).normal(0, 2, image.shape)).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    called = _area((150, 0), (250, 0), (250, 208), (150, 208))
    share, where = hair_share(lab, called, cloth & ~called)
    assert share[202:207, 160:240].max() < 0.2  # what was called hair and is cloth
    assert share[193:198, 160:240].min() > 0.8
    assert not where[:150].any()
    assert np.array_equal(share[~where], called[~where])


def test_skin_under_a_sleeve_that_goes_away_meets_the_arm_without_a_seam() -> None:
    worn = _figure(0.5)
    arms = np.isin(worn.labels, [CIHP.index("left-arm"), CIHP.index("right-arm")])
    worn.image[arms] = np.clip(worn.image[arms] * np.array([0.86, 0.8, 0.74]), 0, 255)  # browner than the face
    out = Drape()(worn, _pictured(0), mask=worn.labels == CIHP.index("upper-clothes")).image
    lab = cv2.cvtColor(cv2.GaussianBlur(out, (0, 0), 3), cv2.COLOR_RGB2LAB).astype(float)
    (x0, y0), (x1, y1) = _ARMS["left"][:2]
    along = np.array([lab[int(y0 + t * (y1 - y0)), int(x0 + t * (x1 - x0))] for t in np.linspace(0.5, 1.2, 36)])
    assert np.linalg.norm(along[3:] - along[:-3], axis=1).max() < 6
    assert np.linalg.norm(along[0] - along[-1]) < 15


def test_a_dress_takes_the_trousers_away() -> None:
    person = _figure(0.35)
    shape = _area((168, 112), (216, 112), (254, 128), (242, 190), (268, 400), (116, 400), (142, 190), (130, 128))
    image = np.full((H, W, 3), 245, np.uint8)
    image[shape] = _NEW
    result = helpers.try_on(person, Garment(image, shape, "dress"), engine="drape")
    assert _like(result.image, _NEW, 90)[330:380, 180:204].mean() > 0.9  # between the legs
    shin = _line(_LEGS["left"], 20)
    shin[:430] = shin[470:] = False
    assert _like(result.image, _SKIN, 120)[shin].mean() > 0.9
    assert any("longer" in note for note in result.notes)


def test_a_skirt_over_trousers_shows_legs() -> None:
    person = _figure(0.35)
    shape = _area((140, 60), (244, 60), (270, 170), (114, 170))
    image = np.full((H, W, 3), 245, np.uint8)
    image[shape] = _NEW
    result = helpers.try_on(person, Garment(image, shape, "lower"), engine="drape")
    shin = _line(_LEGS["left"], 20)
    shin[:440] = shin[470:] = False
    assert _like(result.image, _SKIN, 120)[shin].mean() > 0.9
    assert any("skirt over trousers" in note for note in result.notes)


def test_confidence_falls_with_the_error() -> None:
    trust, errors = [], []
    for old, new, hem in product((0.0, 0.9), (0.0, 0.9), (300, 220)):
        result = Drape()(_figure(old), _pictured(new, hem=hem), mask=_top(old))
        truth = _figure(new, _NEW, hem)
        lab = [cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (result.image, truth.image)]
        zone = result.changed | _top(new, hem)
        trust.append(result.confidence)
        errors.append(np.linalg.norm(lab[0] - lab[1], axis=2)[zone].mean())
    assert spearmanr(trust, errors)[0] < -0.5


def test_what_cannot_be_known_is_trusted_less_than_the_same_garment() -> None:
    worn, picture = _top(0.35), _pictured(0.35)
    assert picture.mask is not None
    opening = picture.mask & (np.abs(np.arange(W) - W // 2) < 30)
    unlike = {
        "shorter": _pictured(0.35, hem=200),
        "open in front": replace(picture, inside=opening),
    }
    alike = Drape()(_figure(0.35), picture, mask=worn).confidence
    assert alike is not None
    for name, garment in unlike.items():
        assert (Drape()(_figure(0.35), garment, mask=worn).confidence or 0) < alike - 0.1, name


def test_what_is_not_known_of_somebody_is_asked_for_and_its_lack_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _figure(0.35)
    asked: list[tuple[str, ...]] = []

    def annotate(person: Person, *, engine: str, needs: tuple[str, ...], mask: np.ndarray) -> Person:
        asked.append(tuple(needs))
        raise weights.Missing("no network is here")

    monkeypatch.setattr(helpers, "annotate", annotate)
    bare = helpers.try_on(Person(whole.image), _pictured(0.35), mask=_top(0.35), engine="drape")
    assert {"keypoints", "hands", "face"} <= set(asked[0])
    assert any("No annotator" in note for note in bare.notes)
    helpers.try_on(whole, _pictured(0.35), engine="drape")
    assert len(asked) == 1
