"""The Segment Anything engine on small checkpoints in the published layout: clicks, candidates, refinement, files that are not right."""

import shutil

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor

from helpers import engines, segment, weights
from helpers.labels import LOWER, UPPER, select
from helpers.segmentation.clicks import default_points, iou
from helpers.segmentation.sam import SAM, Candidate, check_variant, load
from helpers.segmentation.sam_decoder import Decoder, Runner, content_key
from helpers.testing import figure
from helpers.testing import segmentation as small


@pytest.fixture(scope="module")
def folder(tiny_weights):
    return tiny_weights


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")


@pytest.fixture(scope="module")
def person():
    return figure(*small.PEOPLE[0])


@pytest.fixture(scope="module")
def engine(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_WEIGHTS", str(folder))
        yield SAM("vit_b", device="cpu")


@pytest.fixture
def ready(engine, person):
    engine.set_image(person.image)
    return engine


def clicks(person, names):
    return default_points(person.image.shape[1::-1], select(person.labels, names))


class TestMasks:
    @pytest.mark.parametrize("names", [UPPER, LOWER])
    def test_a_click_finds_the_garment_under_it(self, ready, person, names):
        mask = ready.predict(clicks(person, names))
        assert mask.dtype == bool
        assert mask.shape == person.image.shape[:2]
        assert iou(mask, select(person.labels, names)) > 0.8

    def test_one_click_has_three_answers_of_growing_extent_best_scored_first(self, ready, person):
        three = ready.candidates(clicks(person, UPPER))
        assert [type(one) for one in three] == [Candidate] * 3
        assert [one.score for one in three] == sorted((one.score for one in three), reverse=True)
        assert three[0].mask.sum() < three[1].mask.sum() < three[2].mask.sum()
        assert iou(three[2].mask, person.labels > 0) > 0.9
        for index, one in enumerate(three):
            assert np.array_equal(ready.predict(clicks(person, UPPER), index), one.mask)

    def test_further_clicks_refine_the_chosen_answer_with_a_single_one(self, ready, person):
        points = [*clicks(person, UPPER), (5, 5, 0)]
        for choice, one in enumerate(ready.candidates(points[:1])):
            (refined,) = ready.candidates(points, choice)
            assert iou(refined.mask, one.mask) > 0.9, "the mask before is not in the prompt"
            masks, scores = ready.decode(points, one.low_res)
            assert np.array_equal(refined.low_res, masks[0])
            assert refined.score == pytest.approx(scores[0])

    def test_a_mask_depends_on_image_clicks_and_choice_alone(self, ready, person):
        points = [*clicks(person, UPPER), (5, 5, 0), *clicks(person, LOWER)]
        once = ready.predict(points, 1)
        ready.predict(points[:2], 2)
        ready.set_image(person.image[:, ::-1])
        ready.predict(points[:1])
        ready.set_image(person.image)
        assert np.array_equal(ready.predict(points, 1), once)
        ready.close()
        ready.set_image(person.image)
        assert np.array_equal(ready.predict(points, 1), once)

    def test_the_whole_picture_is_never_taken_unasked(self, ready, person, monkeypatch):
        point = clicks(person, UPPER)
        masks, _ = ready.decode(point)
        low = np.stack([np.zeros_like(masks[0]), np.full_like(masks[0], 9), np.full_like(masks[0], -9), masks[1]])
        monkeypatch.setattr(ready, "decode", lambda *_: (low, np.array([0, 0.99, 0.98, 0.5])))
        ready._logits.clear()
        assert ready.default_choice(point) == 2
        ready._logits.clear()

    def test_both_published_families_work(self, person):
        with SAM("mobile", device="cpu") as mobile:
            mobile.set_image(person.image)
            worn = select(person.labels, (*UPPER, *LOWER))
            assert iou(mobile.predict(clicks(person, UPPER)), worn) > 0.7
            assert len(mobile.candidates(clicks(person, UPPER))) == 3

    def test_full_size_pictures(self, ready, person):
        large = np.repeat(np.repeat(person.image, 2, axis=0), 2, axis=1)
        ready.set_image(large)
        ((x, y, _),) = clicks(person, UPPER)
        mask = ready.predict([(2 * x, 2 * y, 1)])
        assert mask.shape == large.shape[:2]
        assert iou(mask[::2, ::2], select(person.labels, UPPER)) > 0.8


class TestBoxes:
    @pytest.fixture
    def published(self, ready, person):
        """The published predictor on the same network and embedding."""
        predictor = SamPredictor(ready.network)
        predictor.features, predictor.is_image_set = ready.embedding, True
        predictor.original_size, predictor.input_size = person.image.shape[:2], ready._look.inside
        return predictor

    def test_a_box_is_answered_as_by_the_published_predictor(self, ready, published):
        box = (90, 120, 300, 330)
        (mask,), _, low = published.predict(box=np.array(box), multimask_output=False)
        assert iou(ready.predict([], box=box), mask) > 0.999
        points = [(190, 200, 1), (5, 5, 0)]
        for count in (1, 2):
            places, labels = np.array(points)[:count, :2], np.array(points)[:count, 2]
            (mask,), _, low = published.predict(places, labels, np.array(box), low, multimask_output=False)
        assert iou(ready.predict(points, box=box), mask) > 0.999

    def test_its_candidates_are_there_for_a_choice(self, ready, published):
        box = (90, 120, 300, 330)
        masks, scores, _ = published.predict(box=np.array(box), multimask_output=True)
        for choice, best in enumerate(np.argsort(-scores, kind="stable")):
            assert iou(ready.predict([], choice, box), masks[best]) > 0.999

    def test_the_verb_takes_a_box_with_clicks_or_without(self, person):
        box = (90, 120, 300, 330)
        boxed = segment(person.image, box=box, engine="sam:vit_b")
        assert boxed.shape == person.image.shape[:2]
        refined = segment(person.image, [(190, 200, 1)], box, engine="sam:vit_b")
        engine = engines.load("segment", "sam:vit_b")
        assert np.array_equal(refined, engine.predict([(190, 200, 1)], box=box))
        assert np.array_equal(boxed, engine.predict([], box=box))

    def test_a_box_costs_no_click(self, ready, person, monkeypatch):
        ready.predict([], box=(90, 120, 300, 330))
        monkeypatch.setattr(ready, "decode", lambda *_: pytest.fail("decoded again"))
        ready.predict([], box=(90, 120, 300, 330))

    def test_boxes_that_cannot_be_are_named(self, ready):
        with pytest.raises(ValueError, match="lies outside the image"):
            ready.predict([], box=(90, 120, 300, 3300))
        with pytest.raises(ValueError, match="points is empty"):
            ready.predict([])


class TestCost:
    def test_a_photograph_is_looked_at_once(self, engine, person, monkeypatch):
        looked = []
        encoder = type(engine.network.image_encoder)
        forward = encoder.forward
        monkeypatch.setattr(encoder, "forward", lambda self, x: looked.append(1) or forward(self, x))
        engine.close()
        other = person.image[::-1]
        for image in (person.image, person.image.copy(), other, person.image, other):
            engine.set_image(image)
            engine.predict([(190, 150, 1)])
        assert len(looked) == 2

    def test_a_click_is_decoded_once(self, ready, person, monkeypatch):
        points = [*clicks(person, UPPER), (5, 5, 0)]
        ready.predict(points)
        monkeypatch.setattr(ready, "decode", lambda *_: pytest.fail("decoded again"))
        ready.predict(points[:1])
        ready.predict(points)
        ready.candidates(points[:1])

    def test_few_photographs_and_prefixes_are_kept(self, engine, person):
        for shift in range(6):
            engine.set_image(np.roll(person.image, shift, axis=1))
            engine.predict([(190, 150, 1)])
        assert len(engine._looks) == 4
        engine._logits.update({("x", i): (np.zeros(1), np.zeros(1)) for i in range(300)})
        engine.predict([(190, 151, 1)])
        assert len(engine._logits) <= 128


class TestErrors:
    @pytest.mark.parametrize(
        ("image", "words"),
        [
            (lambda i: i / 255, "0..1"),
            (lambda i: np.dstack([i, i[..., :1]]), "RGBA"),
            (lambda i: i[..., 0], "grey"),
            (lambda i: i[:30], "at least 64"),
            (lambda i: i.tolist(), "not a list"),
        ],
    )
    def test_pictures(self, engine, person, image, words):
        with pytest.raises(ValueError, match=words):
            engine.set_image(image(person.image))

    @pytest.mark.parametrize(
        ("points", "words"),
        [
            ([], "empty"),
            ([(10, 10, 5)], "beside it.*not 5"),
            ([(10, 10, -1)], "beside it.*not -1"),
            ([(10, 10)], "x, y, label"),
            ([(384, 10, 1)], "outside the image"),
            ([(-1, 10, 1)], "outside the image"),
            ([(10, 10, 0)], r"points\[0\] has label 0"),
        ],
    )
    def test_points(self, ready, points, words):
        with pytest.raises(ValueError, match=words):
            ready.predict(points)
        with pytest.raises(ValueError, match=words):
            ready.candidates(points)

    @pytest.mark.parametrize("choice", [3, -1, True, 0.5])
    def test_choices(self, ready, choice):
        with pytest.raises(ValueError, match="choice must be a whole number from 0 to 2"):
            ready.predict([(190, 150, 1)], choice)

    def test_a_click_before_a_picture(self, folder):
        with pytest.raises(RuntimeError, match="before set_image"):
            SAM("vit_b").predict([(1, 1, 1)])

    def test_an_unknown_variant(self):
        with pytest.raises(ValueError, match="vit_h, vit_l, vit_b, mobile"):
            SAM("vit_x")


class TestFiles:
    def place(self, tmp_path, monkeypatch, variant, content):
        path = tmp_path / weights.record(variant).path
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))

    @pytest.mark.parametrize("kind", ["pointer", "placeholder", "page", "empty", "truncated"])
    def test_what_is_no_checkpoint_is_damaged(self, folder, tmp_path, monkeypatch, person, kind):
        whole = (folder / weights.record("sam_vit_b").path).read_bytes()
        content = {
            "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 375042383\n",
            "placeholder": b"placeholder for a model\n",
            "page": b"<!DOCTYPE html><html><body>Not found</body></html>",
            "empty": b"",
            "truncated": whole[: len(whole) // 2],
        }[kind]
        self.place(tmp_path, monkeypatch, "sam_vit_b", content)
        with pytest.raises(weights.Damaged):
            SAM("vit_b").set_image(person.image)

    def test_a_missing_file_is_named_at_once(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        with pytest.raises(weights.Missing, match="sam_vit_h"):
            SAM("vit_h")

    def test_another_variant_is_named(self, folder, tmp_path, monkeypatch, person):
        self.place(tmp_path, monkeypatch, "sam_vit_b", (folder / weights.record("mobile_sam").path).read_bytes())
        with pytest.raises(
            weights.Mismatch, match=r'sam_vit_b is expected here, but the file holds MobileSAM\. Use variant "mobile"'
        ):
            SAM("vit_b").set_image(person.image)

    @pytest.mark.parametrize(
        ("width", "depth", "variant", "words"), [(1024, 24, "vit_b", "SAM vit_l"), (768, 12, "vit_h", "SAM vit_b")]
    )
    def test_published_sizes_are_told_apart_by_their_shapes(self, tmp_path, width, depth, variant, words):
        state = {f"image_encoder.blocks.{depth - 1}.norm1.weight": 0, "prompt_encoder.x": 0, "mask_decoder.x": 0}
        state["image_encoder.pos_embed"] = torch.empty(1, 64, 64, width, device="meta")
        with pytest.raises(weights.Mismatch, match=words):
            check_variant(state, variant, tmp_path)

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ({"vision_encoder.layers.0.weight": 0}, "layout of the transformers library"),
            ({"conv.weight": 0}, "no Segment Anything"),
        ],
    )
    def test_other_networks_are_named(self, tmp_path, state, words):
        with pytest.raises(weights.Mismatch, match=words):
            check_variant(state, "vit_b", tmp_path)

    @pytest.mark.parametrize(
        "key", ["image_encoder.neck.2.weight", "mask_decoder.iou_token.weight", "image_encoder.blocks.0.norm1.bias"]
    )
    def test_every_key_counts(self, folder, tmp_path, key):
        state = torch.load(folder / weights.record("sam_vit_b").path, weights_only=True)
        torch.save({name: value for name, value in state.items() if name != key}, tmp_path / "less.pth")
        with pytest.raises(weights.Mismatch, match=key.rpartition(".")[0]):
            load(tmp_path / "less.pth", "vit_b")
        torch.save({**state, "image_encoder.more": torch.zeros(1)}, tmp_path / "more.pth")
        with pytest.raises(weights.Mismatch, match="more"):
            load(tmp_path / "more.pth", "vit_b")


class TestDecoder:
    def test_onnxruntime_gives_the_same_masks_as_torch(self, folder, person):
        points = [*clicks(person, UPPER), (5, 5, 0), *clicks(person, LOWER)]
        found = {}
        for onnx in (True, False):
            engine = SAM("vit_b", device="cpu", onnx=onnx)
            engine.set_image(person.image)
            found[engine.backend] = [engine.predict(points[:n], choice) for n in (1, 2, 3) for choice in (None, 0, 1, 2)]
        assert set(found) == {"onnxruntime", "torch"}
        for ours, theirs in zip(*found.values(), strict=True):
            assert np.array_equal(ours, theirs)

    def test_it_is_exported_once_under_a_name_of_its_content(self, folder, person, monkeypatch):
        SAM("vit_b", device="cpu").set_image(person.image)
        name = content_key(Decoder(load(folder / weights.record("sam_vit_b").path, "vit_b")))
        kept = folder / "sam" / f"sam_vit_b_01ec64.decoder-{name}.onnx"
        assert kept.exists()
        assert not list((folder / "sam").glob(".part*"))
        monkeypatch.setattr("helpers.segmentation.sam_decoder.exported", lambda _: pytest.fail("exported again"))
        SAM("vit_b", device="cpu").set_image(person.image)

    def test_the_export_of_a_checkpoint_that_was_replaced_goes(self, folder, person):
        stale = folder / "sam" / "sam_vit_b_01ec64.decoder-000000000000.onnx"
        for kept in (folder / "sam").glob("sam_vit_b*.onnx"):
            kept.unlink()
        stale.write_bytes(b"")
        SAM("vit_b", device="cpu").set_image(person.image)
        assert not stale.exists()
        assert len(list((folder / "sam").glob("sam_vit_b*.onnx"))) == 1

    def test_another_checkpoint_gets_another_name(self, folder):
        network = load(folder / weights.record("sam_vit_b").path, "vit_b")
        before = content_key(Decoder(network))
        with torch.no_grad():
            network.mask_decoder.iou_token.weight[0, 0] += 1
        assert content_key(Decoder(network)) != before

    def test_a_damaged_export_is_made_anew(self, folder, person):
        SAM("vit_b", device="cpu").set_image(person.image)
        (kept,) = (folder / "sam").glob("sam_vit_b*.onnx")
        kept.write_bytes(kept.read_bytes()[:1000])
        engine = SAM("vit_b", device="cpu")
        engine.set_image(person.image)
        assert engine.backend == "onnxruntime"
        assert kept.stat().st_size > 1000

    def test_a_read_only_folder_and_no_onnxruntime_are_no_obstacle(self, folder, person, tmp_path, monkeypatch):
        shutil.copytree(folder, tmp_path / "w", ignore=shutil.ignore_patterns("*.onnx"))
        monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "w"))
        monkeypatch.setattr(
            "helpers.segmentation.sam_decoder.write_whole", lambda *_: (_ for _ in ()).throw(PermissionError("read-only"))
        )
        engine = SAM("vit_b", device="cpu")
        engine.set_image(person.image)
        assert engine.backend == "onnxruntime"
        monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
        assert Runner(engine.network).backend == "torch"
