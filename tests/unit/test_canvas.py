"""The clicker without a browser: its callbacks are driven as the page would drive them, and what it sends to the page is read."""

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import ipycanvas.canvas
import numpy as np
import pytest

from helpers import engines, generate, images, runs, segment
from helpers.widgets.asking import ask_mask
from helpers.widgets.clicker import Clicker

HEIGHT, WIDTH = 120, 90
TOP, SKIRT = (slice(20, 60), slice(20, 70)), (slice(65, 110), slice(20, 70))


class Rectangles:
    """An engine that knows two garments and can be made to fail; a background click cuts the garment below it off."""

    def __init__(self):
        self.calls, self.image, self.failing = [], None, False

    def set_image(self, image):
        self.image = image

    def predict(self, points):
        if self.failing:
            raise RuntimeError("out of memory")
        self.calls.append(points)
        mask = np.zeros(self.image.shape[:2], bool)
        for _, y, label in points:
            for garment in (TOP, SKIRT):
                if label and garment[0].start <= y < garment[0].stop:
                    mask[garment] = True
            if not label:
                mask[y:, :] = False
        return mask


@pytest.fixture
def sent(monkeypatch):
    """Every command that goes to the page, as (layer, command name); a fresh command stream for each test."""
    manager = ipycanvas.canvas._CANVAS_MANAGER
    monkeypatch.setattr(manager, "_current_canvas", None)
    commands = []
    names = {number: name for name, number in ipycanvas.canvas.COMMANDS.items()}
    original = manager.send_command

    def send_command(canvas, command, buffers=()):
        commands.append((canvas, names[command[0]], command[1]))
        original(canvas, command, list(buffers))

    monkeypatch.setattr(manager, "send_command", send_command)
    return commands


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture
def engine():
    return Rectangles()


@pytest.fixture
def clicker(image, engine, tmp_path):
    return Clicker(image, engine, folder=tmp_path / "clicks")


def event(clicker, name, **content):
    """What the page sends when something happens on the canvas."""
    clicker.canvas.widget[-1]._handle_frontend_event(None, {"event": name, **content}, [])


def click(clicker, x, y):
    event(clicker, "mouse_down", x=x, y=y)


def press(clicker, key, shift=False, ctrl=False, meta=False):
    event(clicker, "key_down", key=key, shift_key=shift, ctrl_key=ctrl, meta_key=meta)


def on_disk(clicker):
    return json.loads((clicker.folder / "points.json").read_text())


def test_a_click_makes_the_mask(clicker):
    click(clicker, 40.2, 30.7)
    assert clicker.points == [(40, 30, 1)]
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[TOP] = True
    assert (clicker.mask == expected).all()
    assert "1 click " in clicker.status.value
    assert "covers 18.5 %" in clicker.status.value


def test_background_by_button_and_by_key(clicker):
    click(clicker, 40, 30)
    clicker.mode.value = "background"
    click(clicker, 40, 50)
    press(clicker, "x")
    assert clicker.mode.value == "garment"
    press(clicker, "x")
    click(clicker, 40, 55)
    assert clicker.prompt.labels == [1, 0, 0]
    assert not clicker.mask[50:].any()


def test_erase_removes_the_nearest_point_only_when_close(clicker):
    click(clicker, 40, 30)
    click(clicker, 60, 30)
    press(clicker, "e")
    click(clicker, 50, 100)
    assert len(clicker.points) == 2
    assert "No point there" in clicker.status.value
    click(clicker, 58, 31)
    assert clicker.points == [(40, 30, 1)]


@pytest.mark.parametrize(
    ("undo", "redo"),
    [
        (lambda c: c.buttons["undo"].click(), lambda c: c.buttons["redo"].click()),
        (lambda c: press(c, "z", ctrl=True), lambda c: press(c, "y", ctrl=True)),
        (lambda c: press(c, "z", meta=True), lambda c: press(c, "Z", shift=True, meta=True)),
    ],
)
def test_undo_and_redo_by_button_and_key(clicker, undo, redo):
    click(clicker, 40, 30)
    assert clicker.buttons["redo"].disabled
    undo(clicker)
    assert clicker.points == []
    assert not clicker.mask.any()
    assert clicker.buttons["undo"].disabled
    undo(clicker)
    assert "Nothing to undo" in clicker.status.value
    redo(clicker)
    assert clicker.points == [(40, 30, 1)]
    assert clicker.mask.any()


def test_a_plain_z_is_not_undo(clicker):
    click(clicker, 40, 30)
    press(clicker, "z")
    assert len(clicker.points) == 1


def test_an_undone_mask_is_not_computed_again(clicker, engine):
    click(clicker, 40, 30)
    click(clicker, 50, 30)
    calls = len(engine.calls)
    press(clicker, "z", ctrl=True)
    press(clicker, "y", ctrl=True)
    assert len(engine.calls) == calls


def test_several_garments(image, tmp_path):
    clicker = Clicker(image, Rectangles(), names=["top", "skirt"], folder=tmp_path)
    clicker.buttons["next"].click()
    assert "Click on top first" in clicker.status.value
    click(clicker, 40, 30)
    press(clicker, "n")
    assert clicker.garment.options == ("top", "skirt")
    assert clicker.garment.value == "skirt"
    click(clicker, 40, 80)
    assert list(clicker.masks) == ["top", "skirt"]
    assert (clicker.mask == (clicker.masks["top"] | clicker.masks["skirt"])).all()
    assert sorted(path.name for path in (tmp_path / "garments").iterdir()) == ["skirt.png", "top.png"]
    assert (images.read_mask(tmp_path / "garments" / "top.png") == clicker.masks["top"]).all()
    clicker.garment.value = "top"
    assert clicker.points == [(40, 30, 1)]
    clicker.garment.value = "skirt"
    clicker.buttons["clear"].click()
    assert not (tmp_path / "garments" / "skirt.png").exists()


def test_every_change_is_on_disk(clicker):
    click(clicker, 40, 30)
    note = on_disk(clicker)
    assert (note["size"], note["by_hand"], note["done"]) == ([WIDTH, HEIGHT], True, False)
    assert note["garments"] == {"garment 1": [[40, 30, 1]]}
    assert (images.read_mask(clicker.folder / "mask.png") == clicker.mask).all()
    press(clicker, "z", ctrl=True)
    assert on_disk(clicker)["garments"] == {"garment 1": []}
    assert not images.read_mask(clicker.folder / "mask.png").any()
    assert not list(clicker.folder.rglob(".part-*"))


def test_opening_the_clicker_again_loses_nothing(image, tmp_path):
    first = Clicker(image, Rectangles(), names=["top", "skirt"], folder=tmp_path, resume=True)
    click(first, 40, 30)
    press(first, "n")
    click(first, 40, 80)
    again = Clicker(image, Rectangles(), names=["top", "skirt"], folder=tmp_path, resume=True)
    assert again.prompt.garments == first.prompt.garments
    assert again.by_hand
    assert (again.mask == first.mask).all()
    fresh = Clicker(image, Rectangles(), folder=tmp_path)
    assert not fresh.mask.any()
    assert on_disk(first)["garments"]["top"] == [[40, 30, 1]], "nothing is written before there is something to write"
    other = Clicker(image[::-1], Rectangles(), folder=tmp_path, resume=True)
    assert not other.mask.any(), "another picture's clicks"
    typed = Clicker(image, Rectangles(), points=[[40, 80, 1]], folder=tmp_path, resume=True)
    assert typed.points == [(40, 80, 1)], "typed points replace the hand"
    assert not on_disk(typed)["by_hand"]
    assert not Clicker(image, Rectangles(), folder=tmp_path, resume=True).mask.any(), "typed points are not a hand's"


def test_done_calls_back_once_there_is_a_mask(image, tmp_path):
    done = []
    clicker = Clicker(image, Rectangles(), folder=tmp_path, on_done=lambda c: done.append(c.mask.sum()))
    clicker.buttons["done"].click()
    assert not done
    assert not clicker.finished
    click(clicker, 40, 30)
    press(clicker, "Enter")
    assert done == [40 * 50]
    assert clicker.finished
    assert on_disk(clicker)["done"]
    click(clicker, 50, 30)
    assert not clicker.finished, "going on after done is allowed"


def test_done_is_on_disk_only_when_the_mask_was_handed_on(image, tmp_path):
    seen = []
    clicker = Clicker(image, Rectangles(), folder=tmp_path, on_done=lambda c: seen.append(on_disk(c)["done"]))
    click(clicker, 40, 30)
    press(clicker, "Enter")
    assert seen == [False]
    assert on_disk(clicker)["done"]


def test_a_click_outside_is_ignored_with_a_word(clicker):
    click(clicker, -3, 30)
    click(clicker, 40, HEIGHT + 2)
    assert clicker.points == []
    assert "outside the picture" in clicker.status.value


def test_touch_is_a_click_and_two_fingers_are_not(clicker):
    event(clicker, "touch_start", touches=[{"x": 40, "y": 30}])
    event(clicker, "touch_start", touches=[{"x": 40, "y": 30}, {"x": 50, "y": 30}])
    assert clicker.points == [(40, 30, 1)]


def test_an_error_is_shown_and_the_clicker_stays_usable(clicker, engine):
    click(clicker, 40, 30)
    engine.failing = True
    click(clicker, 50, 30)
    assert "RuntimeError: out of memory" in clicker.status.value
    assert "out of memory" in clicker.errors.outputs[0]["text"]
    assert clicker.points == [(40, 30, 1)], "the click that failed is taken back"
    engine.failing = False
    click(clicker, 50, 30)
    assert len(clicker.points) == 2
    assert not clicker.errors.outputs
    assert "error" not in clicker.status.value


def test_a_mask_of_the_wrong_shape_is_an_error(clicker, engine, monkeypatch):
    monkeypatch.setattr(engine, "predict", lambda points: np.zeros((3, 3), bool))
    click(clicker, 40, 30)
    assert "shape (3, 3)" in clicker.status.value


def test_a_full_disk_keeps_the_click(clicker, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(images, "write_mask", full)
    click(clicker, 40, 30)
    assert len(clicker.points) == 1
    assert "No space left" in clicker.status.value


def test_background_alone_masks_nothing(clicker, engine):
    press(clicker, "x")
    click(clicker, 40, 30)
    assert not clicker.mask.any()
    assert clicker.masks == {}
    assert engine.calls == []


def test_a_background_click_may_come_first(clicker, engine):
    press(clicker, "x")
    click(clicker, 40, 50)
    press(clicker, "x")
    click(clicker, 40, 30)
    assert clicker.points == [(40, 50, 0), (40, 30, 1)]
    assert engine.calls == [[(40, 30, 1), (40, 50, 0)]]
    assert clicker.mask.any()


def test_typed_points_replace_the_hand(image):
    clicker = Clicker(image, Rectangles(), points={"top": [[40, 30, 1]], "skirt": [[40, 80, 1]]})
    assert set(clicker.masks) == {"top", "skirt"}
    assert clicker.prompt.garment == "top"
    with pytest.raises(ValueError, match="outside the image"):
        Clicker(image, Rectangles(), points=[[WIDTH, 3, 1]])


def test_a_cell_can_click_too(clicker):
    clicker.prompt.add(40, 30)
    assert clicker.mask.any()
    assert "1 click " in clicker.status.value
    assert on_disk(clicker)["garments"] == {"garment 1": [[40, 30, 1]]}


def test_another_picture_in_the_engine_does_no_harm(clicker, engine):
    engine.set_image(np.zeros((10, 10, 3), np.uint8))
    click(clicker, 40, 30)
    assert clicker.mask.shape == (HEIGHT, WIDTH)


def test_large_pictures_are_clicked_in_a_smaller_view(tmp_path):
    clicker = Clicker(np.zeros((480, 360, 3), np.uint8), Rectangles(), max_view=(90, 120))
    assert (clicker.canvas.widget.width, clicker.canvas.widget.height) == (90, 120)
    click(clicker, 10, 10)
    assert clicker.points == [(40, 40, 1)]
    assert clicker.mask.shape == (480, 360)


def test_what_is_known_is_asked_once_at_the_first_click_on_the_garment(image):
    asked, given, told = [], [], np.ones((4, 4), np.uint8)

    class Knowing(Rectangles):
        def predict(self, points, known=None):
            given.append(known)
            return super().predict(points)

    clicker = Clicker(image, Knowing(), known=lambda: asked.append(True) or told)
    assert not asked
    click(clicker, 40, 30)
    click(clicker, 40, 80)
    assert asked == [True]
    assert len(given) == 2
    assert all(known is told for known in given)
    nobody = Clicker(image, Rectangles(), known=lambda: None)
    click(nobody, 40, 30)
    assert nobody.mask.any(), "an engine is not given what nobody knows"


def test_on_colab_the_widget_manager_is_enabled_by_show(image, monkeypatch):
    enabled = []
    colab = ModuleType("google.colab")
    colab.output = SimpleNamespace(enable_custom_widget_manager=lambda: enabled.append(True))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setattr("helpers.widgets.clicker.display", lambda widget: enabled.append(widget))
    clicker = Clicker(image, Rectangles())
    assert not enabled
    clicker.show()
    assert enabled == [True, clicker.widget]
    assert clicker.canvas.widget.layout.max_height.endswith("px"), "a share of the window means nothing in a frame that grows"


def test_nothing_is_sent_before_a_page_is_there(sent, image):
    clicker = Clicker(image, Rectangles(), points=[[40, 30, 1]])
    click(clicker, 50, 30)
    assert sent == []


def test_a_page_gets_the_picture_then_the_mask_then_the_points(sent, clicker):
    click(clicker, 40, 30)
    for _ in range(2):  # the second is the page after a reload
        sent.clear()
        event(clicker, "client_ready")
        layers = [next(i for i in range(3) if clicker.canvas.widget[i] is canvas) for canvas, _, _ in sent]
        assert layers == sorted(layers)
        assert set(layers) == {0, 1, 2}
        assert [name for canvas, name, _ in sent if canvas is clicker.canvas.widget[0]] == ["putImageData"]
        assert sum(name == "putImageData" for _, name, _ in sent) == 2


def test_the_point_is_drawn_before_the_mask_is_computed(sent, clicker, engine, monkeypatch):
    event(clicker, "client_ready")
    sent.clear()
    seen = []
    predict = engine.predict
    monkeypatch.setattr(engine, "predict", lambda points: (seen.extend(sent), predict(points))[1])
    click(clicker, 40, 30)
    assert [name for canvas, name, _ in seen if canvas is clicker.canvas.widget[2]].count("fillCircle") >= 1
    assert not [name for canvas, name, _ in seen if canvas is clicker.canvas.widget[1]]


def test_what_travels_is_lossless(sent, clicker, monkeypatch):
    arrays = []
    monkeypatch.setattr(ipycanvas.canvas, "binary_image", lambda array: arrays.append(array) or b"")
    event(clicker, "client_ready")
    click(clicker, 40, 30)
    assert all(array.shape[2] == 4 and array.dtype == np.uint8 for array in arrays)
    assert (arrays[0][..., :3] == clicker.image).all()
    assert arrays[-1].shape[0] < HEIGHT, "only the covered part of the mask layer is sent"


class Three(Rectangles):
    """An engine that offers three answers to the first click: a garment, both, and everything."""

    def candidates(self, points):
        return [SimpleNamespace(mask=self._answer(points, index), score=0.9 - index / 10) for index in range(3)]

    def default_choice(self, points):
        return 0

    def predict(self, points, choice=None):
        return self._answer(points, choice or 0)

    def _answer(self, points, choice):
        if choice == 0:
            return super().predict(points)
        mask = np.zeros(self.image.shape[:2], bool)
        for region in (TOP, SKIRT) if choice == 1 else ((slice(None), slice(None)),):
            mask[region] = True
        return mask


class TestChoosing:
    @pytest.fixture
    def clicker(self, image, tmp_path):
        return Clicker(image, Three(), candidates=3, folder=tmp_path / "clicks")

    def shown(self, clicker):
        return (
            [button.button_style for button in clicker.choices.buttons]
            if clicker.choices.widget.layout.display != "none"
            else []
        )

    def test_the_row_appears_with_the_first_click_and_marks_what_is_taken(self, clicker):
        assert self.shown(clicker) == []
        click(clicker, 40, 40)
        assert self.shown(clicker) == ["success", "", ""]
        assert [len(child.children) for child in clicker.choices.widget.children] == [2, 2, 2]
        clicker.buttons["clear"].click()
        assert self.shown(clicker) == []

    def test_keys_and_buttons_choose_and_undo_takes_it_back(self, clicker):
        click(clicker, 40, 40)
        first = clicker.mask
        press(clicker, "1")
        assert clicker.prompt.choice == 1
        assert clicker.mask[80, 40]
        assert self.shown(clicker) == ["", "success", ""]
        clicker.choices.buttons[2].click()
        assert clicker.mask.all()
        press(clicker, "z", ctrl=True)
        press(clicker, "z", ctrl=True)
        assert clicker.prompt.choice is None
        assert np.array_equal(clicker.mask, first)
        press(clicker, "y", ctrl=True)
        assert clicker.prompt.choice == 1

    def test_further_clicks_keep_the_choice_another_first_click_drops_it(self, clicker):
        click(clicker, 40, 40)
        press(clicker, "1")
        click(clicker, 40, 90)
        assert clicker.prompt.choice == 1
        clicker.mode.value = "erase"
        click(clicker, 40, 40)
        assert clicker.prompt.points == [(40, 90, 1)]
        assert clicker.prompt.choice is None

    def test_each_garment_has_a_choice_of_its_own(self, clicker):
        click(clicker, 40, 40)
        press(clicker, "2")
        press(clicker, "n")
        click(clicker, 40, 90)
        assert clicker.prompt.choices == {"garment 1": 2}
        assert clicker.masks["garment 1"].all()
        assert not clicker.masks["garment 2"].all()

    def test_it_is_on_disk_and_taken_up_again(self, clicker, image, tmp_path):
        click(clicker, 40, 40)
        press(clicker, "1")
        assert json.loads((tmp_path / "clicks" / "points.json").read_text())["choices"] == {"garment 1": 1}
        again = Clicker(image, Three(), candidates=3, folder=tmp_path / "clicks", resume=True)
        assert again.prompt.choice == 1
        assert np.array_equal(again.mask, clicker.mask)

    def test_without_a_hand(self, image):
        clicker = Clicker(image, Three(), candidates=3, points=[(40, 40, 1)], choice=2)
        assert clicker.mask.all()
        assert Clicker(
            image, Three(), candidates=3, points={"top": [(40, 40, 1)], "skirt": [(40, 90, 1)]}, choice={"skirt": 1}
        ).masks["skirt"][30, 40]

    def test_before_a_click_the_keys_do_nothing(self, clicker):
        press(clicker, "2")
        assert clicker.prompt.choices == {}
        assert not clicker.prompt.can_undo

    def test_an_engine_with_one_answer_has_nothing_to_choose(self, image, tmp_path):
        clicker = Clicker(image, Rectangles(), folder=tmp_path)
        click(clicker, 40, 40)
        press(clicker, "2")
        assert self.shown(clicker) == []
        assert "choices" not in json.loads((tmp_path / "points.json").read_text())
        with pytest.raises(ValueError, match="nothing to choose"):
            Clicker(image, Rectangles(), choice=1)

    @pytest.mark.parametrize("choice", [-1, 0.5, True, "1"])
    def test_what_is_no_choice_is_an_error(self, image, choice):
        with pytest.raises(ValueError, match="choice must be a whole number of at least 0"):
            Clicker(image, Three(), candidates=3, points=[(40, 40, 1)], choice=choice)


class TestAskingForAMask:
    """``ask_mask`` with the embedded engine on two plain rectangles: what stands in for the hand, in its order."""

    POINTS: ClassVar = [(100, 90, 1)]

    @pytest.fixture
    def figure(self):
        picture = np.full((240, 200, 3), 230, np.uint8)
        picture[40:120, 60:140], picture[120:220, 60:140] = (30, 60, 160), (150, 40, 40)
        return picture

    @pytest.fixture
    def run(self, tmp_path):
        return runs.start("99_test", {"run": "a-run", "seed": 0, "outputs": str(tmp_path)})

    def ask(self, figure, run, points=(), **known):
        return ask_mask(figure, "superpixel", points, run, **known)

    def test_nothing_known_is_an_empty_mask(self, figure, run):
        clicker = self.ask(figure, run)
        assert not clicker.mask.any()
        click(clicker, 100, 60)
        assert list(on_disk(clicker)["garments"]) == ["garment"]

    def test_points_then_what_a_hand_clicked_then_what_was_left_then_the_default(self, figure, run):
        left = np.zeros(figure.shape[:2], bool)
        left[:10, :10] = True
        known = {"left": left, "default": [(100, 180, 1)]}
        default = self.ask(figure, run, default=known["default"])
        assert default.prompt.garments == {"garment": [(100, 180, 1)]}
        assert not default.by_hand
        clicker = self.ask(figure, run, **known)
        assert (clicker.mask == left).all()
        assert clicker.prompt.garments == {"garment": []}
        click(clicker, 100, 60)
        assert clicker.mask[60, 100]
        assert not clicker.mask[5, 5]
        again = self.ask(figure, run, **known)
        assert again.points == [(100, 60, 1)]
        assert again.by_hand
        again.prompt.clear()
        assert self.ask(figure, run, default=known["default"]).points == known["default"], (
            "a hand that took all back left nothing"
        )
        click(again, 100, 60)
        assert self.ask(figure, run, points=self.POINTS, **known).points == self.POINTS

    def test_done_leaves_the_mask_for_the_notebooks_that_follow(self, figure, run):
        clicker = self.ask(figure, run, points={"top": [[100, 60, 1]], "skirt": [[100, 180, 1]]})
        press(clicker, "Enter")
        assert (run.mask(figure) == clicker.masks["top"]).all()
        assert {path.name for path in (run.folder / "clicks" / "99_test" / "garments").iterdir()} == {"top.png", "skirt.png"}

    def test_garments_with_one_stem_keep_a_file_each(self, figure, run):
        clicker = self.ask(figure, run, points={"a top": [[100, 60, 1]], "a-top": [[100, 180, 1]]})
        stems = {path.name for path in (clicker.folder / "garments").iterdir()}
        assert stems == {"a-top.png", "a-top-2.png"}

    def test_what_can_be_told_of_the_person_counts_as_it_does_without_a_widget(self, run):
        person = generate("a woman in a striped shirt and blue jeans", seed=3, size=(576, 768))
        y, x = np.argwhere(person.worn("upper"))[person.worn("upper").sum() // 2].tolist()
        points = [(x, y, 1)]
        clicker = self.ask(person.image, run, points=points)
        assert (clicker.mask == segment(person.image, points=points)).all()
        alone = engines.load("segment", "superpixel")
        alone.set_image(person.image)
        assert (clicker.mask != alone.predict(points)).any()

    def test_what_cannot_be_is_named_before_the_engine_looks(self, figure, run):
        with pytest.raises(ValueError, match="outside the image"):
            self.ask(figure, run, points=[[500, 1, 1]])
        with pytest.raises(ValueError, match="left is 3x3"):
            self.ask(figure, run, left=np.ones((3, 3), bool))
        with pytest.raises(ValueError, match="choice: this engine gives one answer"):
            self.ask(figure, run, points=self.POINTS, choice=1)
