"""What the author of another generation engine has to write: its file and a record. The verb, the notebook and its panel know the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from helpers import engines, generate, show
from helpers.contract import Base, Setting
from helpers.generation import drawing
from helpers.person import Person
from helpers.records import Engine
from helpers.stepping import Cancelled, OnStep, tell
from helpers.widgets.words import WordsPanel

SIZE = (64, 128)
RECORD = Engine(
    "stripes",
    "generate",
    "stripes in the place of people",
    f"{__name__}:Stripes",
    terms="free for every use",
    settings={
        "steps": Setting("whole", "stripes on the picture", 3, low=1, high=9),
        "on_step": Setting("callable", "called after every stripe; False from it cancels"),
        "progress": Setting("flag", "whether a bar of the stripes is shown"),
    },
    sides=range(64, 256 + 1, 64),
    steps=True,
    multiple=True,
)


@dataclass
class Words:
    text: str
    cut: Sequence[str] = ()


class Stripes(Base):
    """A generator that draws in steps and has no preview."""

    def read(self, words: str, negative_prompt: str | None = None) -> tuple[Words, Words]:
        return Words(words), Words(negative_prompt or "")

    def __call__(self, prompt: str, *, seed: int = 0, **settings: object) -> Person:
        return self.many(prompt, seeds=[seed], **settings)[0]

    @engines.checked("generate", "stripes")
    def many(
        self,
        prompt: str,
        *,
        seeds: Sequence[int],
        size: tuple[int, int] = SIZE,
        steps: int = 3,
        on_step: OnStep | None = None,
        progress: bool | None = None,
    ) -> list[Person]:
        people: list[Person] = []
        for seed in seeds:
            image = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
            for step in range(steps):
                image[:, step * 7] = len(prompt)
                tell(on_step, len(people) * steps + step + 1, steps * len(seeds), done=people)
            people.append(Person(image, scene={"engine": "stripes", "steps": steps, "seed": seed}))
        return people


@pytest.fixture(autouse=True)
def stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ENGINES", (RECORD, *engines.ENGINES))


def test_the_verb_finds_and_checks_it() -> None:
    assert "stripes" in engines.names("generate")
    person = generate("a red dress", engine="stripes", seed=4, size=SIZE, steps=2)
    assert person.image.shape == (128, 64, 3)
    assert person.scene == {"engine": "stripes", "steps": 2, "seed": 4}
    with pytest.raises(ValueError, match=r"from 1 to 9, not 30\. steps: stripes on the picture"):
        generate("a red dress", engine="stripes", size=SIZE, steps=30)
    with pytest.raises(ValueError, match="size must be multiples of 64, not 100x128; the nearest is 128x128"):
        generate("a red dress", engine="stripes", size=(100, 128))
    with pytest.raises(ValueError, match=r"engine stripes takes no setting 'camera'; .* 'camera' is for mannequin"):
        generate("a red dress", engine="stripes", size=SIZE, camera=None)


def test_its_own_call_is_checked_by_its_record() -> None:
    engine = engines.load("generate", "stripes")
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 9"):
        engine.many("a red dress", seeds=[1], steps=0)
    with pytest.raises(ValueError, match="seeds must be a list of whole numbers"):
        engine.many("a red dress", seeds=[])
    with pytest.raises(ValueError, match="seed must be a whole number"):
        engine("a red dress", seed=-1)
    with pytest.raises(ValueError, match="size must be 64 to 256 pixels a side"):
        engine("a red dress", size=(64, 512))
    assert [p.scene["seed"] for p in engine.many("a red dress", seeds=range(3))] == [0, 1, 2]


def test_the_notebook_draws_with_it() -> None:
    assert drawing.require_size("stripes", *SIZE) == SIZE
    with pytest.raises(ValueError, match="width must be a multiple of 64"):
        drawing.require_size("stripes", 65, 128)
    settings = drawing.own_settings("stripes", steps=2)
    with pytest.raises(ValueError, match="engine stripes takes no setting 'guidance_scale'"):
        drawing.own_settings("stripes", guidance_scale=2.0)
    outfit, table = drawing.read("a red dress", "stripes", 1, settings)
    assert outfit is None
    assert table.rows[0]["words"] == "a red dress"
    people = drawing.several("a red dress", engine="stripes", seed=5, size=SIZE, number=2, settings=settings)
    assert [p.scene["seed"] for p in people] == [5, 6]
    assert show.annotated(people[0]) == {}
    assert drawing.metrics(people[0], outfit) == {"steps": 2, "seed": 5}
    assert "nothing" in drawing.remarks(people[0])


def test_the_panel_shows_its_steps_and_cancels_it() -> None:
    first = generate("a", engine="stripes", size=SIZE)
    panel: list[WordsPanel] = []

    def draw(prompt: str, seed: int, on_step: OnStep) -> Person:
        def pressed(step: int, total: int, preview: np.ndarray | None) -> bool | None:
            if prompt == "stop":
                panel[0].cancel.click()
            return on_step(step, total, preview)

        return generate(prompt, engine="stripes", seed=seed, size=SIZE, on_step=pressed)

    panel.append(WordsPanel(draw, prompt="a longer one", seed=1, person=first, in_steps=RECORD.steps))
    panel[0].button.click()
    panel[0].wait(20)
    drawn = panel[0].person
    assert drawn.image[0, 0, 0] == len("a longer one")
    panel[0].prompt.value = "stop"
    panel[0].button.click()
    panel[0].wait(20)
    assert "cancelled" in panel[0].status.value
    assert panel[0].person is drawn


def test_what_was_finished_before_it_was_cancelled_is_kept() -> None:
    engine = engines.load("generate", "stripes")
    with pytest.raises(Cancelled, match="cancelled after step 5 of 9") as cancelled:
        engine.many("a red dress", seeds=[1, 2, 3], on_step=lambda step, total, look: step < 5)
    assert [p.scene["seed"] for p in cancelled.value.done] == [1]
