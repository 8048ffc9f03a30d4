import numpy as np
import pytest

from helpers.labels import ATR, BODY_25, BODY_25_BONES, BODY_25_DRAWN, CIHP, COCO_18, LIP, body25_to_coco18, convert, select


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
