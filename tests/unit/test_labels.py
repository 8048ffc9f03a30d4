import numpy as np
import pytest

from helpers.labels import (
    ATR,
    BODY_25,
    BODY_25_BONES,
    BODY_25_DRAWN,
    CIHP,
    CIHP_PALETTE,
    COCO_18,
    LIP,
    body25_to_coco18,
    convert,
    of_colours,
    select,
    with_torso_skin,
)
from helpers.testing import figure


def test_conversion_goes_by_name() -> None:
    cihp = np.array(
        [[CIHP.index("upper-clothes"), CIHP.index("torso-skin"), CIHP.index("left-arm"), CIHP.index("coat")]], np.uint8
    )
    assert [ATR[i] for i in convert(cihp, "cihp", "atr")[0]] == ["upper-clothes", "face", "left-arm", "upper-clothes"]
    assert [LIP[i] for i in convert(cihp, "cihp", "lip")[0]] == ["upper-clothes", "face", "left-arm", "coat"]


def test_every_class_of_every_numbering_converts_and_shared_names_survive() -> None:
    for source, names in (("cihp", CIHP), ("lip", LIP), ("atr", ATR)):
        everything = np.arange(len(names), dtype=np.uint8)[None]
        for target, wanted in (("cihp", CIHP), ("lip", LIP), ("atr", ATR)):
            got = convert(everything, source, target)[0]
            assert [wanted[g] for g, n in zip(got, names, strict=True) if n in wanted] == [n for n in names if n in wanted]


def test_labels_outside_the_numbering_are_refused() -> None:
    with pytest.raises(ValueError, match="outside atr"):
        convert(np.array([[19]], np.uint8), "atr", "cihp")
    with pytest.raises(ValueError, match="numbering"):
        convert(np.zeros((1, 1), np.uint8), "pascal", "cihp")


def test_select_takes_the_named_classes_only() -> None:
    labels = np.array([[5, 6, 9, 12]], np.uint8)
    assert select(labels, ("pants", "skirt")).tolist() == [[False, False, True, True]]


def test_coco_18_keeps_each_joint_by_name() -> None:
    points = np.stack([np.arange(25), np.zeros(25), np.ones(25)], 1)
    assert [BODY_25[int(i)] for i in body25_to_coco18(points)[:, 0]] == list(COCO_18)


def test_the_bones_are_the_same_in_the_order_in_which_they_are_drawn() -> None:
    assert {frozenset(bone) for bone in BODY_25_BONES} == {frozenset(bone) for bone in BODY_25_DRAWN}
    assert len(BODY_25_BONES) == len(BODY_25_DRAWN)


def test_a_parse_in_colours_gives_back_every_label() -> None:
    labels = np.random.default_rng(0).integers(0, len(CIHP), (32, 24), np.uint8)
    labels[0, : len(CIHP)] = range(len(CIHP))
    assert (of_colours(CIHP_PALETTE[labels]) == labels).all()
    mixed = CIHP_PALETTE[labels]
    mixed[3, 3] = 177, 255, 85
    with pytest.raises(ValueError, match=r"\(177, 255, 85\)"):
        of_colours(mixed)
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        of_colours(labels)


def test_the_neck_of_a_parser_that_calls_it_face_is_found_again() -> None:
    person = figure("a woman in a red t-shirt and jeans", 0)
    assert person.labels is not None
    assert person.keypoints is not None
    skin, face = CIHP.index("torso-skin"), CIHP.index("face")
    without = np.where(person.labels == skin, face, person.labels).astype(np.uint8)
    found, truth = with_torso_skin(without, person.keypoints) == skin, person.labels == skin
    assert (found & truth).sum() > 0.85 * (found | truth).sum()
    assert with_torso_skin(person.labels, person.keypoints) is person.labels
    assert with_torso_skin(without, np.zeros((25, 3), np.float32)) is without
