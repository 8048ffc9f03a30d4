"""RealVisXL on a tiny checkpoint in the published layout: what is refused, what is read, what comes out, and every wrong file by name."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from diffusers import AutoencoderKL, StableDiffusionXLPipeline, UNet2DConditionModel  # noqa: E402
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from helpers import devices, engines, generate, show, weights  # noqa: E402
from helpers.generation import drawing, realvisxl, sdxl_file  # noqa: E402
from helpers.generation.picture_check import NONE, PictureRefused  # noqa: E402
from helpers.generation.realvisxl import RealVisXL, preview  # noqa: E402
from helpers.mannequin.words.prompt import PromptRefused  # noqa: E402
from helpers.stepping import Cancelled  # noqa: E402
from helpers.testing import generation  # noqa: E402

WORDS = "a woman in a red dress"
QUICK = {"size": (256, 320), "steps": 3, "progress": False}
V4 = weights.record("realvisxl_v4").path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    generation.write(folder, "realvisxl_v4", "realvisxl_v4_lightning", "sdxl_base")
    return folder


@pytest.fixture(autouse=True)
def offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the tiny files, on the CPU, and no way out."""

    def refused(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    monkeypatch.setenv("HF_HOME", str(folder / "no-cache"))
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    devices.describe.cache_clear()


@pytest.fixture(scope="module")
def engine() -> Iterator[RealVisXL]:
    with RealVisXL("v4") as engine:
        yield engine


@pytest.fixture
def own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the weights that a test may spoil."""
    copy = shutil.copytree(folder, tmp_path / "weights")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(copy))
    return copy


# ------------------------------------------------------------------------------------------------------- before loading


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prompt": "a girl in a dress"}, "only adults"),
        ({"prompt": "a 16yo model"}, "only adults"),
        ({"prompt": "a 17 y.o. woman in a coat"}, "only adults"),
        ({"prompt": "a schoolk\u200bid"}, "only adults"),
        ({"prompt": "une fille"}, "only adults"),
        ({"prompt": "a naked man"}, "always dressed"),
        ({"prompt": 'a "naked" man'}, "always dressed"),
        ({"prompt": "a nud3 woman"}, "always dressed"),
        ({"prompt": "a woman without clothes"}, "always dressed"),
        ({"prompt": WORDS, "negative_prompt": "clothes, hat"}, "always adult and dressed|adult and dressed"),
        ({"prompt": WORDS, "negative_prompt": "adult"}, "adult and dressed"),
    ],
)
def test_minors_and_undress_are_refused_before_any_file_is_looked_for(
    settings: dict, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(PromptRefused, match=words):
        RealVisXL()(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": 3}, "prompt must be text"),
        ({"size": (770, 1024)}, "multiples of 8, not 770x1024; the nearest is 768x1024"),
        ({"size": (64, 64)}, "256 to 2048 pixels a side, not 64x64"),
        ({"size": 512}, "size must be"),
        ({"steps": 0}, "steps must be a whole number from 1 to 150"),
        ({"steps": 2.5}, "steps must be"),
        (
            {"guidance_scale": 1.0},
            "guidance_scale must be a number above 1 and at most 20, not 1.0.*dressed, would not be read",
        ),
        ({"guidance_scale": float("nan")}, "guidance_scale must be"),
        ({"seed": -1}, "seed must be"),
        ({"negative_prompt": 7}, "negative_prompt must be text"),
        ({"progress": 1}, "progress must be True or False"),
    ],
)
def test_bad_settings_are_named(settings: dict, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(ValueError, match=words):
        RealVisXL()(**{"prompt": WORDS, **settings})


def test_unknown_variants_and_precisions() -> None:
    with pytest.raises(ValueError, match="v4 or v4_lightning, not 'v5'"):
        RealVisXL("v5")
    with pytest.raises(ValueError, match="precision is auto"):
        RealVisXL(precision="int3")


def test_what_goes_on_the_device() -> None:
    full = 3_469_000_000  # SDXL with its encoders

    def on(kind: str, memory: float) -> tuple:
        device = devices.Device(kind, "x", memory)
        p = devices.policy(device, realvisxl.need(device, full), dtype=torch.float16)
        return p.dtype, p.offload, p.tiles

    assert on("cuda", 80.0) == (torch.float16, "none", False)
    assert on("cuda", 15.8) == (torch.float16, "networks", False)
    assert on("cuda", 8.5) == (torch.float16, "networks", True)
    assert on("cuda", 6.0) == (torch.float16, "layers", True)
    assert on("cpu", 64.0)[0] == torch.float32
    assert on("cpu", 16.0)[0] == torch.bfloat16


# -------------------------------------------------------------------------------------------------------------- prompts


def test_the_prompts_of_a_photograph(engine: RealVisXL) -> None:
    asked, avoided = engine.read("a curvy woman in a coral crop top and navy mini skirt, hand on hip")
    assert asked.text.startswith("full body fashion photograph of a curvy adult woman in a coral crop top and navy mini skirt")
    assert "fully dressed" in asked.text
    assert "standing" not in asked.text  # a pose was asked for
    assert avoided.text.startswith("child, children, teenager")
    assert "low quality" in avoided.text
    assert asked.cut == avoided.cut == ()
    assert engine.read("a crop top")[0].text.startswith("full body fashion photograph of an adult model wearing a crop top")
    assert engine.read("a man in a suit, upper body, against a red wall")[0].text.count("backdrop") == 0
    own = engine.read(WORDS, "hat, glasses")[1].text
    assert own.startswith("child, ")
    assert "nude" in own
    assert own.endswith("hat, glasses")
    assert "low quality" not in own


def test_words_beyond_the_limit_are_named(engine: RealVisXL) -> None:
    long = WORDS + " with " + " ".join(f"w{i}" for i in range(60)) + " and a hat"
    with pytest.warns(UserWarning, match="not read: .*w59 and a hat"):
        asked, _ = engine.read(long)
    assert asked.cut[-3:] == ("and", "a", "hat")
    assert asked.text.endswith(", fully dressed")  # stays whatever the words are
    kept = asked.text.removesuffix(", fully dressed")
    assert " ".join([kept, *asked.cut]).endswith(long.removeprefix("a woman "))
    assert len(engine.pipe.tokenizer(asked.text).input_ids) <= 77
    with pytest.warns(UserWarning, match="negative_prompt: .*not read: .*w79"):
        engine.read(WORDS, " ".join(f"w{i}" for i in range(80)))


# ------------------------------------------------------------------------------------------------------------- pictures


def test_the_single_file_gives_back_the_networks_written(engine: RealVisXL) -> None:
    engine(WORDS, **QUICK)
    for name, written in generation.tiny_sdxl(generation._SEEDS["realvisxl_v4"]).items():
        read = getattr(engine.pipe, name).state_dict()
        assert read.keys() == written.state_dict().keys()
        for key, value in written.state_dict().items():
            assert torch.equal(read[key], value.half().float()), f"{name}.{key}"
    assert engine.pipe.tokenizer.pad_token == "<|endoftext|>"
    assert engine.pipe.tokenizer_2.pad_token == "!"


def test_the_original_keys_at_full_size() -> None:
    """SDXL's own numbers: 2,567,463,684 parameters of the UNet in 1680 tensors, 248 tensors of the autoencoder; diffusers reads all."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**generation.UNET)
        vae = AutoencoderKL(**generation.VAE)
    original = generation.unet_to_original(unet)
    assert (len(original), sum(v.numel() for v in original.values())) == (1680, 2_567_463_684)
    assert original["model.diffusion_model.output_blocks.2.2.conv.weight"].shape == (1280, 1280, 3, 3)
    assert original["model.diffusion_model.input_blocks.7.1.transformer_blocks.9.attn2.to_k.weight"].shape == (1280, 2048)
    assert convert_ldm_unet_checkpoint(original, dict(unet.config)).keys() == unet.state_dict().keys()
    original = generation.vae_to_original(vae)
    assert len(original) == 248
    assert original["first_stage_model.decoder.mid.attn_1.q.weight"].shape == (512, 512, 1, 1)
    assert original["first_stage_model.decoder.up.0.block.0.nin_shortcut.weight"].shape == (128, 256, 1, 1)
    assert convert_ldm_vae_checkpoint(original, dict(vae.config)).keys() == vae.state_dict().keys()


def test_a_seed_means_a_picture_however_many_are_drawn(engine: RealVisXL) -> None:
    alone = engine(WORDS, seed=8, **QUICK)
    several = engine.many(WORDS, seeds=[7, 8], **QUICK)
    assert (several[1].image == alone.image).all()
    assert (several[0].image != alone.image).any()
    assert [p.scene["seed"] for p in several] == [7, 8]
    state = torch.get_rng_state()
    engine(WORDS, seed=8, **QUICK)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("setting", [{"steps": 4}, {"guidance_scale": 9.0}, {"negative_prompt": "hat"}, {"size": (320, 256)}])
def test_every_setting_counts(engine: RealVisXL, setting: dict) -> None:
    one, other = engine(WORDS, **QUICK), engine(WORDS, **{**QUICK, **setting})
    assert one.image.shape != other.image.shape or (one.image != other.image).any()


def test_what_a_person_carries(engine: RealVisXL, tmp_path: Path) -> None:
    person = engine(WORDS, seed=3, size=(256, 320), progress=False, steps=2)
    assert person.image.shape == (320, 256, 3)
    assert person.image.dtype == np.uint8
    assert person.labels is person.keypoints is None
    scene = json.loads(json.dumps(person.scene))
    assert scene["variant"] == "v4"
    assert scene["scheduler"] == "DPM++ 2M Karras"
    assert (scene["seed"], scene["steps"], scene["guidance_scale"]) == (3, 2, 6.0)
    assert scene["prompt"].startswith("full body")
    assert "commercial use" in scene["licence"]
    person.save(tmp_path)
    assert (tmp_path / "scene" / "person.json").exists()


def test_the_lightning_variant_through_the_verb(folder: Path) -> None:
    person = generate(WORDS, engine="realvisxl:v4_lightning", seed=1, size=(256, 256), progress=False)
    assert (person.scene["steps"], person.scene["guidance_scale"]) == (12, 1.8)
    loaded = engines.load("generate", "realvisxl:v4_lightning")
    assert type(loaded.pipe.scheduler).__name__ == "DPMSolverSinglestepScheduler"
    again = loaded(WORDS, seed=1, size=(256, 256), progress=False)
    assert (again.image == person.image).all()
    loaded.close()


def test_steps_are_reported_with_a_look_at_the_picture(engine: RealVisXL) -> None:
    seen = []
    engine.many(WORDS, seeds=[0, 1], on_step=lambda *args: seen.append(args), **QUICK)
    assert [(step, total) for step, total, _ in seen] == [(n, 6) for n in range(1, 7)]
    for *_, look in seen:
        assert look.shape == (40, 32, 3)
        assert look.dtype == np.uint8


def test_a_preview_has_the_colours_of_its_latents() -> None:
    grey = preview(torch.zeros(4, 2, 3))
    assert grey.shape == (2, 3, 3)
    assert grey[0, 0].tolist() == [150, 140, 130]
    first = preview(torch.tensor([1.0, 0, 0, 0]).view(4, 1, 1))
    assert first[0, 0].tolist() == [210, 200, 190]


def test_cancelled_interrupted_or_closed_it_draws_again(engine: RealVisXL) -> None:
    before = engine(WORDS, seed=5, **QUICK)
    with pytest.raises(Cancelled, match="after step 2 of 3") as cancelled:
        engine(WORDS, seed=5, on_step=lambda step, total, look: step < 2, **QUICK)
    assert cancelled.value.done == ()
    with pytest.raises(Cancelled, match="after step 4 of 6") as cancelled:
        engine.many(WORDS, seeds=[5, 6], on_step=lambda step, total, look: step < 4, **QUICK)
    (done,) = cancelled.value.done
    assert (done.image == before.image).all()
    assert (engine(WORDS, seed=5, **QUICK).image == before.image).all()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine(WORDS, seed=5, on_step=stop, **QUICK)
    assert (engine(WORDS, seed=5, **QUICK).image == before.image).all()
    engine.close()
    assert engine._loaded is None
    assert (engine(WORDS, seed=5, **QUICK).image == before.image).all()


def test_two_at_once_are_refused(engine: RealVisXL) -> None:
    inside, leave, caught = threading.Event(), threading.Event(), []

    def hold(*_: object) -> None:
        inside.set()
        leave.wait(20)

    thread = threading.Thread(target=lambda: caught.append(engine(WORDS, on_step=hold, **QUICK)))
    thread.start()
    assert inside.wait(20)
    with pytest.raises(RuntimeError, match="drawing already"):
        engine(WORDS, **QUICK)
    leave.set()
    thread.join(20)
    assert len(caught) == 1


def test_a_folder_in_the_layout_of_diffusers(own: Path) -> None:
    from_file = RealVisXL()(WORDS, seed=2, **QUICK)
    folder = own / "realvisxl/RealVisXL_V4.0"
    pipe = StableDiffusionXLPipeline.from_single_file(
        str(own / V4), config=str(own / "sdxl_base"), local_files_only=True, dtype=torch.float32
    )
    pipe.save_pretrained(folder)
    (own / V4).unlink()
    from_folder = RealVisXL()(WORDS, seed=2, **QUICK)
    assert from_folder.scene["checkpoint"] == "RealVisXL_V4.0"
    # The same weights at other addresses: the last bit of a sum may differ, and some steps later a pixel.
    assert np.abs(from_folder.image.astype(int) - from_file.image).mean() < 1.0
    (folder / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(weights.Damaged, match="LFS pointer"):
        RealVisXL()(WORDS, **QUICK)


def test_a_finished_picture_is_looked_at_where_the_check_is_here(own: Path) -> None:
    plain = RealVisXL()(WORDS, **QUICK)
    assert plain.scene["picture check"].startswith("none (python -m helpers weights fetch safety_checker")
    generation.write_safety_checker(own / "safety_checker", objects=False)
    checked = RealVisXL()(WORDS, **QUICK)
    assert checked.scene["picture check"] == "CompVis/stable-diffusion-safety-checker"
    assert (checked.image == plain.image).all()
    generation.write_safety_checker(own / "safety_checker", objects=True)
    engine = RealVisXL()
    with pytest.raises(PictureRefused, match=r"the picture of seed 4 was taken for an undressed one .* Take another seed"):
        engine(WORDS, seed=4, **QUICK)
    answers = iter((True, False, True))
    assert engine._check is not None
    engine._check.takes = lambda image: next(answers)  # type: ignore[method-assign]
    with pytest.raises(PictureRefused, match=r"seed 8 was .* The other 2 are") as refused:
        engine.many(WORDS, seeds=[7, 8, 9], **QUICK)
    assert [person.scene["seed"] for person in refused.value.done] == [7, 9]


def test_a_check_that_is_not_whole_is_named(own: Path) -> None:
    folder = generation.write_safety_checker(own / "safety_checker", objects=False)
    state = load_file(folder / "model.safetensors")
    del state["concept_embeds_weights"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(weights.Damaged, match=r"lacks concept_embeds_weights.*weights fetch safety_checker"):
        RealVisXL()(WORDS, **QUICK)


# ---------------------------------------------------------------------------------------------------------- wrong files


def _state(own: Path) -> dict:
    return load_file(own / V4)


def _kept(state: dict, *prefixes: str) -> dict:
    return {key: value for key, value in state.items() if key.startswith(prefixes)}


def _without(state: dict, key: str) -> dict:
    assert key in state
    return {k: v for k, v in state.items() if k != key}


UNET, VAE, FIRST = "model.diffusion_model.", "first_stage_model.", "conditioner.embedders.0.transformer."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {"lora_unet_mid_block.lora_down.weight": s[UNET + "out.2.weight"]}, "is a LoRA"),
        (
            lambda s: {**_kept(s, UNET, VAE), "cond_stage_model.transformer.text_model.x": s[UNET + "out.2.bias"]},
            "Stable Diffusion 1.x",
        ),
        (
            lambda s: {**_kept(s, UNET, VAE), "cond_stage_model.model.ln_final.bias": s[UNET + "out.2.bias"]},
            "Stable Diffusion 2.x",
        ),
        (lambda s: {**s, "conditioner.embedders.0.model.ln_final.bias": s[UNET + "out.2.bias"]}, "refiner"),
        (lambda s: {**s, UNET + "input_blocks.0.0.weight": torch.zeros(8, 9, 3, 3)}, "inpainting"),
        (lambda s: _kept(s, UNET), "without the first text encoder and the second text encoder and the autoencoder"),
        (lambda s: _kept(s, VAE), "an autoencoder"),
        (lambda s: {"down_blocks.0.resnets.0.norm1.weight": s[UNET + "out.2.bias"]}, "folder layout of diffusers"),
        (lambda s: {"some.weight": s[UNET + "out.2.bias"]}, "no Stable Diffusion checkpoint .*some.weight"),
        (lambda s: {**s, UNET + "input_blocks.0.0.weight": torch.zeros(16, 4, 3, 3)}, "of different networks"),
        (lambda s: _without(s, UNET + "middle_block.0.in_layers.2.bias"), r"lacks unet\.mid_block\.resnets\.0\.conv1\.bias"),
        (
            lambda s: _without(s, FIRST + "text_model.final_layer_norm.bias"),
            r"lacks text_encoder\.(text_model\.)?final_layer_norm",
        ),
    ],
)
def test_what_a_wrong_checkpoint_is(own: Path, change, words: str) -> None:
    save_file({key: value.clone() for key, value in change(_state(own)).items()}, own / V4)
    with pytest.raises(sdxl_file.WrongCheckpoint, match=words):
        RealVisXL()(WORDS, **QUICK)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda whole: whole[: len(whole) // 2], "cut short|truncated|bytes"),
        (lambda whole: b"", "is empty"),
        (lambda whole: b"<!DOCTYPE html><title>404</title>" + b" " * 99, "HTML page"),
        (lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS pointer"),
    ],
)
def test_damaged_files(own: Path, spoil, words: str) -> None:
    (own / V4).write_bytes(spoil((own / V4).read_bytes()))
    with pytest.raises(weights.Damaged, match=words):
        RealVisXL()(WORDS, **QUICK)


def test_missing_files_are_named_with_the_remedy(own: Path) -> None:
    (own / "sdxl_base/tokenizer_2/merges.txt").unlink()
    with pytest.raises(weights.Missing, match=r"tokenizer_2/merges\.txt .*helpers weights fetch sdxl_base"):
        RealVisXL()(WORDS, **QUICK)
    shutil.rmtree(own / "sdxl_base")
    with pytest.raises(weights.Missing, match="weights fetch sdxl_base"):
        RealVisXL()(WORDS, **QUICK)
    (own / V4).unlink()
    with pytest.raises(weights.Missing, match=r"RealVisXL_V4\.0\.safetensors .*weights fetch realvisxl_v4"):
        RealVisXL()(WORDS, **QUICK)


# ------------------------------------------------------------------------------------------------------------- notebook


def test_the_notebook_asks_each_engine_for_what_it_has() -> None:
    assert drawing.own_settings("mannequin") == drawing.own_settings("realvisxl") == {}
    asked = drawing.own_settings("realvisxl:v4", steps=9, guidance_scale=2.5, negative_prompt="hat")
    assert asked == {"steps": 9, "guidance_scale": 2.5, "negative_prompt": "hat"}
    with pytest.raises(ValueError, match="engine mannequin takes no setting 'guidance_scale'"):
        drawing.own_settings("mannequin", guidance_scale=3.0)
    assert drawing.require_size("mannequin", 385, 513) == (385, 513)
    with pytest.raises(ValueError, match="width must be a multiple of 8, not 385; the nearest is 384"):
        drawing.require_size("realvisxl", 385, 512)
    with pytest.raises(ValueError, match="height must be a whole number from 256 to 2048"):
        drawing.require_size("realvisxl", 384, 128)


def test_the_notebook_shows_what_a_photograph_has(capsys: pytest.CaptureFixture[str]) -> None:
    outfit, table = drawing.read(WORDS, "realvisxl:v4", 0, {"negative_prompt": "hat"})
    assert outfit is None
    assert table.rows[0]["words"].startswith("full body fashion photograph of an adult woman in a red dress")
    assert table.rows[1]["words"].endswith(", hat")
    assert "beyond the prompt's length: nothing" in capsys.readouterr().out
    settings = {"steps": 2, "progress": False}
    people = drawing.several(WORDS, engine="realvisxl:v4", seed=3, size=(256, 256), number=2, settings=settings)
    assert [p.scene["seed"] for p in people] == [3, 4]
    assert show.annotated(people[0]) == {}
    assert drawing.remarks(people[0]) == f"beyond the prompt's length: nothing; picture check: {NONE}"
    assert drawing.metrics(people[1], None)["seed"] == 4
    engines.load("generate", "realvisxl:v4").close()


def test_the_notebook_shows_what_a_figure_has() -> None:
    outfit, table = drawing.read("a woman in a zorbly red t-shirt and jeans", "mannequin", 1, {})
    assert [row["garment"] for row in table.rows][:2] == [p.kind for p in outfit.pieces][:2]
    (person,) = drawing.several("a woman in a zorbly red t-shirt and jeans", engine="mannequin", seed=1, size=(192, 256))
    assert list(show.annotated(person)) == ["keypoints (BODY_25)", "parsing (CIHP)", "body parts, U and V", "depth", "normals"]
    assert "zorbly" in drawing.remarks(person)
    assert drawing.metrics(person, outfit)["seen_joints"] == 25


# ------------------------------------------------------------------------------------------------------------ precision


def _overflowing(monkeypatch: pytest.MonkeyPatch, *kinds: torch.dtype) -> None:
    """The UNet gives infinity where it computes in one of ``kinds``."""
    read = realvisxl._read

    def spoilt(source: Path, base: Path, dtype: torch.dtype) -> StableDiffusionXLPipeline:
        pipe = read(source, base, dtype)
        if dtype in kinds:
            pipe.unet.conv_out.register_forward_hook(lambda *called: called[2] + float("inf"))
        return pipe

    monkeypatch.setattr(realvisxl, "_read", spoilt)
    monkeypatch.setattr(devices, "policy", lambda *_, **__: devices.Policy("fp16", "cpu", torch.float16))


def test_what_overflows_in_float16_is_drawn_once_more_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _overflowing(monkeypatch, torch.float16)
    with RealVisXL("v4") as engine:
        with pytest.warns(UserWarning, match=r"in step 1 of 3, .* drawn once more in bfloat16"):
            person = engine(WORDS, **QUICK)
        assert engine(WORDS, **QUICK).scene["precision"] == "bfloat16", "it is not tried again"
    assert person.scene["precision"] == "bfloat16"
    assert "drawn once more" in drawing.remarks(person)
    assert person.image.std() > 1, "not black"
    with RealVisXL("v4", precision="float16") as engine, pytest.raises(FloatingPointError, match="precision='bfloat16'"):
        engine(WORDS, **QUICK)


def test_what_overflows_in_any_precision_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    _overflowing(monkeypatch, torch.float16, torch.bfloat16)
    with (
        RealVisXL("v4") as engine,
        pytest.warns(UserWarning, match="once more"),
        pytest.raises(FloatingPointError, match=r"no finite numbers.*the checkpoint is damaged"),
    ):
        engine(WORDS, **QUICK)


@pytest.mark.parametrize(("variant", "evaluations"), [("v4", 28), ("v4_lightning", 12)])
def test_each_variant_is_sampled_as_its_card_says(variant: str, evaluations: int) -> None:
    seen: list[int] = []
    with RealVisXL(variant) as engine:
        engine.pipe.unet.register_forward_hook(lambda *_: seen.append(1))
        person = engine(WORDS, size=(256, 256), progress=False)
        config = engine.pipe.scheduler.config
    assert len(seen) == evaluations, "Lightning's six steps evaluate twice"
    assert config.use_karras_sigmas
    assert config.algorithm_type == {"v4": "dpmsolver++", "v4_lightning": "sde-dpmsolver++"}[variant]
    assert person.scene["scheduler"] == {"v4": "DPM++ 2M Karras", "v4_lightning": "DPM++ SDE Karras"}[variant]
