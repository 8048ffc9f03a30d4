"""Every golden case of a family that is built here is read by a test, and no recipe is half understood."""

from __future__ import annotations

import importlib
from pathlib import Path

import golden
import pytest

NOT_BUILT: set[str] = set()
"""Families of cases for which there is no engine yet."""
TESTS = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != Path(__file__).stem)


def test_no_case_is_read_by_nobody() -> None:
    for name in TESTS:
        importlib.import_module(name)
    there = {(each.name, case) for each in golden.FOLDER.iterdir() if each.is_dir() for case in golden.every(each.name)}
    unread = sorted(there - golden.ASKED)
    assert not [f"{family}/{case}" for family, case in unread if family not in NOT_BUILT]
    assert not NOT_BUILT & {family for family, _ in golden.ASKED}, "built by now: take it from the list"


@pytest.mark.parametrize(
    "words",
    [
        "noise('a',1,2,seed=0) bilinear x4",
        "noise('a',1,2,seed=0).abs()",
        "noise('a',1,2,seed=0)/2",
        "noise('a',1,2,scale=2)",
        "noise('a',1,2,seed=0), nearest x4 (then clamp(0,1))",
        "noise('a',1,2); nearest x2",
        "randn(1,2)",
        "other*noise('a',1,2)",
        "as in the paper",
    ],
)
def test_what_is_not_understood_of_a_recipe_is_an_error(words: str) -> None:
    with pytest.raises(ValueError, match="a recipe is not understood"):
        golden.recipe(words)


def test_recipes() -> None:
    plain = golden.noise("a", 1, 1, 2, 3, seed=2)
    large = plain.repeat_interleave(4, 2).repeat_interleave(4, 3)
    near = golden.recipe("noise('a',1,1,2,3,seed=2) nearest x4, clamp(-1,1)  (some RGB)")
    golden.close(near, large.clamp(-1, 1), 0)
    golden.close(golden.recipe("0.5*noise('a', 1, 1, 2, 3, seed=2)"), plain / 2, 0)
    classes = (large * 3 + 6).round().clamp(0, 12)
    golden.close(golden.recipe("(noise('a',1,1,2,3,seed=2)*3+6).round().clamp(0,12), nearest x4"), classes, 0)
    golden.close(
        golden.recipe("one-hot 13 of (noise('a',1,1,2,3,seed=2)*3+6).round().clamp(0,12), nearest x4"),
        golden.one_hot(classes, 13),
        0,
    )
    held = golden.recipe("given[:,1:2]*(noise('a',1,1,2,3,seed=2)>0.3) nearest x4", given=golden.one_hot(classes, 13))
    golden.close(held, golden.one_hot(classes, 13)[:, 1:2] * (large > 0.3), 0)
    inner = golden.recipe("ones in rows [H/4,3H/4) x cols [W/4,3W/4), times (noise('a',1,1,2,3,seed=2)>-1) nearest x4")
    assert inner.shape == (1, 1, 8, 12)
    golden.close(inner[:, :, 2:6, 3:9], (large > -1).float()[:, :, 2:6, 3:9], 0)
    assert inner.sum() == inner[:, :, 2:6, 3:9].sum()
