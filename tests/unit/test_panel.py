"""The panel that draws persons from words: pressed as a hand would, with an engine that waits for leave before each step."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from helpers import Person
from helpers.widgets.words import WordsPanel


def person(level: int) -> Person:
    return Person(np.full((128, 96, 3), level, np.uint8))


@pytest.fixture
def panel() -> WordsPanel:
    def draw(prompt: str, seed: int) -> Person:
        if "child" in prompt:
            raise ValueError("adults only <here>")
        return person(100 + seed)

    return WordsPanel(draw, prompt="a shirt", seed=3, person=person(0), comment=lambda p: f"level {p.image[0, 0, 0]}")


def test_the_button_draws_the_words_and_keeps_the_person(panel: WordsPanel) -> None:
    panel.button.click()
    assert panel.person.image[0, 0, 0] == 103
    assert (np.array(Image.open(io.BytesIO(panel.image.value))) == 103).all()
    assert "level 103" in panel.status.value


def test_another_takes_the_next_seed(panel: WordsPanel) -> None:
    panel.another.click()
    assert panel.seed.value == 4
    assert panel.person.image[0, 0, 0] == 104


def test_an_error_is_shown_and_the_last_person_stays(panel: WordsPanel) -> None:
    panel.prompt.value = "a child"
    panel.button.click()
    assert "adults only &lt;here&gt;" in panel.status.value
    assert panel.person.image[0, 0, 0] == 0
    assert not panel.button.disabled


class Slow:
    """An engine of four steps that waits for leave before each."""

    def __init__(self) -> None:
        self.leave, self.seen = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, prompt: str, seed: int, on_step) -> Person:
        for step in range(1, 5):
            assert self.leave.acquire(timeout=10)
            going = on_step(step, 4, np.full((16, 12, 3), 10 * step, np.uint8))
            self.seen.release()
            if going is False:
                raise RuntimeError("stopped")
        return person(100 + seed)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def stepping(slow: Slow) -> WordsPanel:
    return WordsPanel(slow, prompt="a shirt", seed=3, person=person(7), in_steps=True)


def step(slow: Slow, times: int = 1) -> None:
    for _ in range(times):
        slow.leave.release()
        assert slow.seen.acquire(timeout=10)


def shown(panel: WordsPanel) -> int:
    return int(np.array(Image.open(io.BytesIO(panel.image.value)))[0, 0, 0])


def test_steps_are_shown_while_the_kernel_stays_free(slow: Slow, stepping: WordsPanel) -> None:
    stepping.button.click()  # returns at once: what follows runs while it is drawing
    assert stepping.button.disabled
    assert not stepping.cancel.disabled
    step(slow, 2)
    assert shown(stepping) == 20
    assert stepping.bar.value == 0.5
    assert stepping.person.image[0, 0, 0] == 7
    stepping.another.click()  # a second press that the page had sent already
    assert stepping.seed.value == 3
    step(slow, 2)
    stepping.wait(10)
    assert shown(stepping) == stepping.person.image[0, 0, 0] == 103
    assert not stepping.button.disabled
    assert stepping.cancel.disabled


def test_cancel_keeps_the_last_person_and_the_next_press_draws(slow: Slow, stepping: WordsPanel) -> None:
    stepping.button.click()
    step(slow)
    stepping.cancel.click()
    step(slow)  # the step under way ends first
    stepping.wait(10)
    assert "cancelled" in stepping.status.value
    assert shown(stepping) == stepping.person.image[0, 0, 0] == 7
    stepping.another.click()
    step(slow, 4)
    stepping.wait(10)
    assert stepping.person.image[0, 0, 0] == 104


def test_an_error_in_a_step_is_shown() -> None:
    def fails(*_, **__) -> Person:
        raise MemoryError("<too large>")

    panel = WordsPanel(fails, prompt="a shirt", seed=3, person=person(7), in_steps=True)
    panel.button.click()
    panel.wait(10)
    assert "MemoryError: &lt;too large&gt;" in panel.status.value
    assert not panel.button.disabled
    assert panel.cancel.disabled


def test_a_panel_that_draws_at_once_has_no_cancel_button(panel: WordsPanel, stepping: WordsPanel) -> None:
    assert panel.cancel not in panel.widget.children[1].children
    assert stepping.cancel in stepping.widget.children[1].children
