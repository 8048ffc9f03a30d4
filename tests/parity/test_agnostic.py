"""IDM-VTON's automatic masks against the published ones."""

from __future__ import annotations

import re

import cv2
import golden
import numpy as np
import pytest

from helpers.tryon.idm_vton.preprocess import _CLOTH, _SPECK, _classes, agnostic_mask

CASES = [
    (name, case["index"])
    for name in golden.cases("idm_vton", "get_mask")
    for case in golden.load_json("idm_vton", name)["cases"]
]
CATEGORY = {"upper_body": "upper", "lower_body": "lower", "dresses": "dress"}
ARM_WIDTH = {"hd": 60, "dc": 45}


def load(name: str, index: int) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray, float]:
    about, tensors = golden.load("idm_vton", name)
    case = next(c for c in about["cases"] if c["index"] == index)
    packed = tensors[f"{index:02}.mask_packed"].numpy()
    expected = np.unpackbits(packed, axis=1, count=case["width"]).astype(bool)
    allowed = float(re.search(r"([\d.]+)\s*%", about["tolerance"]).group(1)) / 100
    return case, tensors[f"parse.{case['person']}"].numpy(), tensors[f"{index:02}.keypoints"].numpy(), expected, allowed


def run(case: dict, parse: np.ndarray, keypoints: np.ndarray, parity: bool) -> np.ndarray:
    size = case["width"], case["height"]
    width = ARM_WIDTH[case["model_type"]]
    return agnostic_mask(parse, keypoints, CATEGORY[case["category"]], size, arm_width=width, parity=parity)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_as_published(name: str, index: int) -> None:
    case, parse, keypoints, expected, allowed = load(name, index)
    mask = run(case, parse, keypoints, parity=True)
    assert mask.shape == expected.shape
    assert (mask != expected).mean() <= allowed


@pytest.mark.parametrize(("name", "index"), CASES)
def test_by_default_no_part_of_the_garment_is_lost(name: str, index: int) -> None:
    case, parse, keypoints, published, allowed = load(name, index)
    mask = run(case, parse, keypoints, parity=False)
    assert (published & ~mask).mean() <= allowed
    parse = cv2.resize(parse, mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    cloth = _classes(parse, _CLOTH[CATEGORY[case["category"]]])
    assert cloth.any()
    _, _, lost, _ = cv2.connectedComponentsWithStats((cloth & ~mask).astype(np.uint8))
    assert lost[1:, cv2.CC_STAT_AREA].max(initial=0) <= _SPECK * cloth.sum(), "more than a slip of the parsing"


@golden.own
def test_the_second_leg_stays_in() -> None:
    """The case that users see: of two bare legs the published mask keeps one."""
    lost = []
    for name, index in CASES:
        case, parse, keypoints, *_ = load(name, index)
        lost.append((run(case, parse, keypoints, False) & ~run(case, parse, keypoints, True)).mean())
    assert max(lost) > 0.01


def test_nobody_in_such_a_garment_gives_an_empty_mask() -> None:
    assert not agnostic_mask(np.zeros((512, 384), np.uint8), np.zeros((18, 2)), "lower").any()
