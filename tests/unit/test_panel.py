import io

import numpy as np
import pytest
from PIL import Image

from helpers import Person
from helpers.generation.panel import Panel


def person(level: int) -> Person:
    return Person(np.full((128, 96, 3), level, np.uint8))


@pytest.fixture
def panel() -> Panel:
    def draw(prompt: str, seed: int) -> Person:
        if "child" in prompt:
            raise ValueError("adults only <here>")
        return person(100 + seed)

    return Panel(draw, prompt="a shirt", seed=3, person=person(0), comment=lambda p: f"level {p.image[0, 0, 0]}")


def test_the_button_draws_the_words_and_keeps_the_person(panel: Panel) -> None:
    panel.button.click()
    assert panel.person.image[0, 0, 0] == 103
    assert (np.array(Image.open(io.BytesIO(panel.image.value))) == 103).all()
    assert "level 103" in panel.status.value


def test_another_takes_the_next_seed(panel: Panel) -> None:
    panel.another.click()
    assert panel.seed.value == 4
    assert panel.person.image[0, 0, 0] == 104


def test_an_error_is_shown_and_the_last_person_stays(panel: Panel) -> None:
    panel.prompt.value = "a child"
    panel.button.click()
    assert "adults only &lt;here&gt;" in panel.status.value
    assert panel.person.image[0, 0, 0] == 0
    assert not panel.button.disabled
