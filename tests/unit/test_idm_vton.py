"""The IDM-VTON engine on a tiny checkpoint in the published layout: frame, masks, seeds, caches, stops, errors."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from helpers import engines, generate, try_on, weights
from helpers.annotation.annotator import OpenPoseSCHP
from helpers.devices import Device, Policy
from helpers.garment import Garment
from helpers.labels import UPPER, select
from helpers.mannequin import product
from helpers.person import Person
from helpers.stepping import Cancelled
from helpers.tryon.backdrop import garment_mask
from helpers.tryon.idm_vton import engine as idm_vton
from helpers.tryon.idm_vton import loading
from helpers.tryon.idm_vton.engine import IDMVTON
from helpers.tryon.idm_vton.garments import GarmentFeatures
from helpers.tryon.idm_vton.networks import GarmentNet, TryonNet
from helpers.tryon.idm_vton.profiles import COSTS, choose_profile

FAST = {"steps": 2, "description": "red t-shirt"}


@pytest.fixture(scope="module")
def folder(tiny_weights: Path) -> Path:
    return tiny_weights


@pytest.fixture(autouse=True)
def _weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")


@pytest.fixture(scope="module")
def engine() -> Iterator[IDMVTON]:
    with IDMVTON() as made:
        yield made


@pytest.fixture(scope="module")
def person() -> Person:
    return generate("a woman in a grey t-shirt and blue jeans", engine="mannequin", seed=1, size=(300, 512))


@pytest.fixture(scope="module")
def garment() -> Garment:
    return product("red t-shirt with white dots", size=(192, 256))


@pytest.fixture(scope="module")
def worn(person: Person) -> np.ndarray:
    return select(person.labels, UPPER)


def test_only_what_the_mask_covers_changes(engine: IDMVTON, person: Person, garment: Garment, worn: np.ndarray) -> None:
    result = engine(person, garment, mask=worn, only_mask=True, **FAST)
    assert result.image.shape == person.image.shape
    assert (result.image == person.image)[~result.changed].all()
    assert (result.image != person.image).any(2)[worn].mean() > 0.9
    assert result.mask[worn].mean() > 0.99
    assert not (result.changed & ~result.mask).any()
    assert result.mask.mean() < 1.6 * worn.mean()
    assert "CC BY-NC-SA" in result.licence
    assert result.confidence is None
    assert list(result.steps)[:3] == ["person in the frame", "what may change", "DensePose"]


def test_a_given_mask_is_united_with_the_published_one(
    engine: IDMVTON, person: Person, garment: Garment, worn: np.ndarray
) -> None:
    found, united, exact = (
        engine(person, garment, **asked, **FAST) for asked in ({}, {"mask": worn}, {"mask": worn, "only_mask": True})
    )
    assert united.mask[found.mask].all()
    assert united.mask[exact.mask].all()
    assert united.mask.sum() > 1.1 * exact.mask.sum()  # arms, of a T-shirt's wearer
    assert any("only_mask=True" in note for note in united.notes)
    assert any("the given mask alone" in note for note in exact.notes)
    assert any("'red t-shirt', as given" in note for note in exact.notes)
    own = engine(person, garment, mask=worn, **{**FAST, "description": ""})
    assert any("'red t-shirt with white dots', by its own words" in note for note in own.notes)
    nothing = engine(person, replace(garment, words=""), mask=worn, **{**FAST, "description": ""})
    assert any("'shirts', of its category" in note for note in nothing.notes)
    with pytest.raises(ValueError, match="only_mask=True needs mask="):
        engine(person, garment, only_mask=True, **FAST)


def test_without_a_mask_it_is_found(engine: IDMVTON, person: Person, garment: Garment, worn: np.ndarray) -> None:
    result = engine(person, garment, **FAST)
    assert result.mask[worn].mean() > 0.97
    assert not (result.changed & select(person.labels, ("face", "left-shoe", "right-shoe"))).any()


def test_a_seed_gives_its_picture_whatever_the_others_are(engine: IDMVTON, person: Person, garment: Garment, worn) -> None:
    several = engine.many(person, garment, mask=worn, seeds=[3, 4], **FAST)
    alone = engine(person, garment, mask=worn, seed=4, **FAST)
    assert (several[1].image == alone.image).all()
    assert (several[0].image != alone.image).any()


def test_closed_and_used_again_it_works_like_the_first_time(person: Person, garment: Garment, worn: np.ndarray) -> None:
    with IDMVTON() as fresh:
        first = fresh(person, garment, mask=worn, seed=3, **FAST)
        fresh.close()
        assert (fresh(person, garment, mask=worn, seed=3, **FAST).image == first.image).all()


def test_a_known_garment_is_not_computed_again(engine, person, garment, worn, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(person, garment, mask=worn, seed=0, **FAST)
    calls, real = [], idm_vton.pipeline.garment_features

    def counted(*args, **settings):
        calls.append(1)
        return real(*args, **settings)

    monkeypatch.setattr(idm_vton.pipeline, "garment_features", counted)
    engine(person, garment, mask=np.roll(worn, 3, 0), seed=9, **FAST)
    assert not calls
    engine(person, product("blue t-shirt", size=(192, 256)), mask=worn, seed=9, **FAST)
    assert len(calls) == 1
    engine.close()


def test_features_on_disk_are_the_same_and_a_torn_file_is_made_again(tmp_path: Path) -> None:
    features = GarmentFeatures(2, tmp_path / "g")
    values = [torch.randn(1, 4, 8), torch.randn(1, 2, 8)]
    features.keep(0, values)
    features.keep(1, values)
    assert features.complete
    assert all(torch.equal(a, b) for a, b in zip(features(1), values, strict=True))
    path = next((tmp_path / "g").glob("001*"))
    path.write_bytes(path.read_bytes()[:-5])
    assert not GarmentFeatures(2, tmp_path / "g").complete
    assert not list((tmp_path / "g").glob(".part*"))


def test_memory_too_small_streams_to_disk(
    engine, person, garment, worn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine(person, garment, mask=worn, seed=1, **FAST).image
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.setattr("helpers.machine.free_memory", lambda: 0)
    with IDMVTON() as other:
        assert (other(person, garment, mask=worn, seed=1, **FAST).image == expected).all()
    assert len(list((tmp_path / "garments").glob("*/*.safetensors"))) == FAST["steps"]


def test_streamed_from_the_host_it_paints_the_same(engine, person, garment, worn, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = engine(person, garment, mask=worn, seed=1, **FAST).image
    low = Policy("low_vram", "cpu", torch.float32, offload="layers", tiles=True)
    monkeypatch.setattr(idm_vton, "choose_profile", lambda name: low)
    with IDMVTON() as other:
        assert (other(person, garment, mask=worn, seed=1, **FAST).image == expected).all()
        assert (other(person, garment, mask=worn, seed=1, **FAST).image == expected).all()


def _alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


@pytest.mark.parametrize("parity", [False, True])
def test_what_is_large_is_never_there_together(person, garment, worn, parity: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before, beside = _alive(TryonNet), []
    small = Policy("fp16", "cpu", torch.float32, offload="networks", alone=True)
    monkeypatch.setattr(idm_vton, "choose_profile", lambda name: small)
    read, decode, closed = loading.load_garment_net, idm_vton.pipeline.decode, []
    monkeypatch.setattr(loading, "load_garment_net", lambda *a: beside.append(_alive(TryonNet) - before) or read(*a))
    monkeypatch.setattr(idm_vton.pipeline, "decode", lambda *a: beside.append(_alive(TryonNet) - before) or decode(*a))
    monkeypatch.setattr(OpenPoseSCHP, "close", lambda self: closed.append(1))
    with IDMVTON() as other:
        other.many(Person(person.image), garment, mask=worn, seeds=[1, 2], parity=parity, annotator="openpose_schp", **FAST)
    assert beside == [0] * (4 if parity else 3), "GarmentNet once a garment, in parity once a seed; two pictures"
    assert closed, "the annotator's networks"


def test_low_vram_streams_both_unets(person, garment, worn, monkeypatch: pytest.MonkeyPatch) -> None:
    low = Policy("low_vram", "cpu", torch.float32, offload="layers", tiles=True)
    monkeypatch.setattr(idm_vton, "choose_profile", lambda name: low)
    streamed, real = [], UNet2DConditionModel.enable_group_offload
    monkeypatch.setattr(
        UNet2DConditionModel, "enable_group_offload", lambda net, *a, **k: streamed.append(type(net)) or real(net, *a, **k)
    )
    with IDMVTON() as other:
        other(person, garment, mask=worn, **FAST)
    assert streamed == [GarmentNet, TryonNet]


def _overflowing(monkeypatch: pytest.MonkeyPatch, *kinds: torch.dtype) -> None:
    """TryonNet gives infinity where it computes in one of ``kinds``."""
    read = loading.load_tryon_net

    def load(device: torch.device, dtype: torch.dtype) -> TryonNet:
        net = read(device, dtype)
        if dtype in kinds:
            net.conv_out.register_forward_hook(lambda *called: called[2] + float("inf"))
        return net

    monkeypatch.setattr(loading, "load_tryon_net", load)
    half = Policy("fp16", "cpu", torch.float16)
    monkeypatch.setattr(idm_vton, "choose_profile", lambda name: half)


def test_what_overflows_in_float16_is_painted_once_more_and_said(person, garment, worn, monkeypatch) -> None:
    _overflowing(monkeypatch, torch.float16)
    with IDMVTON() as other:
        first = other(person, garment, mask=worn, seed=1, **FAST)
        again = other(person, garment, mask=worn, seed=1, **FAST)
        with pytest.raises(FloatingPointError, match=r"step 1 of 2, .* as fp16\. Use profile='auto' or 'bf16'"):
            other(person, garment, mask=worn, profile="fp16", **FAST)
    said = " ".join(first.notes)
    assert "Ran as bf16" in said
    assert "In float16 TryonNet, in step 1 of 2, gave values that are no finite numbers: painted once more in bfloat16" in said
    assert "Ran as bf16" in " ".join(again.notes)
    assert (first.image == again.image).all()
    assert first.image[worn].std() > 1, "not black"


def test_what_overflows_in_any_precision_is_no_picture(person, garment, worn, monkeypatch) -> None:
    _overflowing(monkeypatch, torch.float16, torch.bfloat16)
    with IDMVTON() as other, pytest.raises(FloatingPointError, match=r"in bfloat16 too.*weights verify idm_vton"):
        other(person, garment, mask=worn, **FAST)


def test_too_little_memory_names_the_next_smaller_profile(engine, person, garment, worn, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(idm_vton.pipeline, "denoise", full)
    for name, smaller in (("fp16", "low_vram"), ("bf16", "low_vram"), ("low_vram", "cpu")):
        held = Policy(name, "cpu", torch.float32)
        monkeypatch.setattr(idm_vton, "choose_profile", lambda _, held=held: held)
        with pytest.raises(MemoryError, match=f"IDM-VTON as {name} did not fit .* Use profile='{smaller}'"):
            engine(person, garment, mask=worn, **FAST)


def test_features_of_a_step_lie_in_one_block() -> None:
    features, values = GarmentFeatures(1), [torch.randn(1, 4, 8), torch.randn(1, 2, 8)]
    features.keep(0, values)
    assert all(torch.equal(a, b) for a, b in zip(features(0), values, strict=True))
    assert len({each.untyped_storage().data_ptr() for each in features(0)}) == 1


def test_it_can_be_stopped_and_used_again(engine: IDMVTON, person: Person, garment: Garment, worn: np.ndarray) -> None:
    with pytest.raises(Cancelled, match="after step 1 of 2"):
        engine(person, garment, mask=worn, on_step=lambda *step: False, **FAST)
    with pytest.raises(Cancelled, match="after step 3 of 4") as cancelled:
        engine.many(person, garment, mask=worn, seeds=[1, 2], on_step=lambda step, total, look: step < 3, **FAST)
    seen = []
    alone = engine(person, garment, mask=worn, seed=1, on_step=lambda *step: seen.append(step), **FAST)
    assert seen == [(1, 2, None), (2, 2, None)]
    (done,) = cancelled.value.done
    assert (done.image == alone.image).all()


def test_colour_match_moves_the_cloth_towards_the_garment(person: Person, garment: Garment, worn: np.ndarray) -> None:
    from helpers.tryon.colour import match_colour

    faded = person.image.copy()
    faded[worn] = (200, 90, 95)
    out = match_colour(faded, worn, garment.image, garment.mask)
    target = garment.image[garment.mask].mean(0)
    assert np.abs(out[worn].mean(0) - target).sum() < 0.5 * np.abs(faded[worn].mean(0) - target).sum()
    assert (out == faded)[~worn].all()


def test_colour_match_finds_the_garment_where_no_mask_came_with_it(person: Person, garment: Garment, worn) -> None:
    engines._load.cache_clear()
    bare, known = (Garment(garment.image, mask, "upper") for mask in (None, garment_mask(garment.image)))
    found, told = (try_on(person, g, mask=worn, engine="idm_vton", colour_match=True, **FAST) for g in (bare, known))
    assert (found.steps["colour matched"] != found.steps["as painted"]).any()
    assert (found.image == told.image).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"guidance_scale": 0.5}, "guidance_scale must be"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"description": 3}, "description must be text"),
        ({"framing": "round"}, "framing must be letterbox"),
        ({"profile": "fp16"}, "profile 'fp16' needs a GPU"),
        ({"profile": "fast"}, "profile must be auto, fp16"),
    ],
)
def test_bad_settings_are_named(engine, person, garment, worn, settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        engine(person, garment, mask=worn, **{**FAST, **settings})


def test_masks_that_cannot_be_are_named(engine: IDMVTON, person: Person, garment: Garment, worn: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mask is empty"):
        engine(person, garment, mask=worn & False, **FAST)
    bare = Person(person.image, keypoints=person.keypoints, labels=person.labels * 0, densepose=person.densepose)
    with pytest.raises(ValueError, match="no garment of category 'dress'"):
        engine(bare, Garment(garment.image, garment.mask, "dress"), **FAST)


def test_profiles_follow_the_device() -> None:
    assert choose_profile("auto", Device("cpu", "CPU", 16)).name == "cpu"
    small = choose_profile("auto", Device("cuda", "small", 8))
    assert (small.name, small.offload, small.tiles) == ("low_vram", "layers", True)
    large = choose_profile("auto", Device("cuda", "large", 24))
    assert large.dtype is torch.float16, "as published; bfloat16 where that overflows"
    assert (large.offload, large.tiles, large.alone) == ("none", False, False)
    assert small.dtype is torch.float16
    assert choose_profile("bf16", Device("cuda", "large", 24)).dtype is torch.bfloat16
    middle, tight = (choose_profile("auto", Device("cuda", "x", memory)) for memory in (16, 10))
    assert (middle.offload, middle.alone) == ("networks", False)
    assert (tight.offload, tight.alone) == ("networks", True), "decoded without TryonNet beside it"
    assert {name: choose_profile(name, Device("cuda", "x", 24)).name for name in COSTS} == {name: name for name in COSTS}


def test_parity_mode_returns_the_whole_decoded_picture(engine: IDMVTON, person: Person, garment: Garment, worn) -> None:
    result = engine(person, garment, mask=worn, parity=True, **FAST)
    assert (result.image != person.image).any(2)[~worn].mean() > 0.9  # face and backdrop went through the VAE too
    again = engine(person, garment, mask=worn, parity=True, **FAST)
    assert result.image.shape == again.image.shape == person.image.shape


@pytest.mark.parametrize(
    ("part", "content", "error", "words"),
    [
        (
            "unet/diffusion_pytorch_model.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            weights.Damaged,
            "LFS",
        ),
        ("unet/diffusion_pytorch_model.bin", None, weights.Damaged, "diffusion_pytorch_model.bin"),
        ("unet_encoder/diffusion_pytorch_model.safetensors", None, weights.Damaged, "unet_encoder"),
        ("vae/diffusion_pytorch_model.safetensors", b"<!DOCTYPE html><html>404</html>" * 9, weights.Damaged, "HTML"),
        ("unet/config.json", b"{]" * 40, weights.Damaged, "not JSON"),
    ],
)
def test_files_that_are_not_the_checkpoint(
    folder: Path, tmp_path: Path, person, garment, worn, monkeypatch, part: str, content: bytes | None, error: type, words: str
) -> None:
    shutil.copytree(folder / "idm_vton", tmp_path / "idm_vton")
    target = tmp_path / "idm_vton" / part
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2] if content is None else content)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(error, match=words), IDMVTON() as broken:
        broken(person, garment, mask=worn, **FAST)


def test_a_unet_of_another_kind_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(folder / "idm_vton/unet/diffusion_pytorch_model.bin", weights_only=True)
    state = {k: v for k, v in state.items() if "to_k_ip" not in k}
    root = shutil.copytree(folder / "idm_vton", tmp_path / "idm_vton")
    torch.save(state, root / "unet/diffusion_pytorch_model.bin")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(weights.Mismatch, match="to_k_ip"):
        loading.load_tryon_net(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_in_16_bits_both_unets_are_converted_once_beside_themselves(folder: Path, dtype: torch.dtype) -> None:
    cpu = torch.device("cpu")

    def read() -> list[torch.nn.Module]:
        return [load(cpu, dtype) for load in (loading.load_tryon_net, loading.load_resampler, loading.load_garment_net)]

    assert {p.dtype for net in read() for p in net.parameters()} == {dtype}
    short = "bf16" if dtype is torch.bfloat16 else "fp16"
    made = list((folder / "idm_vton").glob(f"unet*/*{short}*.safetensors"))
    assert len(made) == 2
    written = [path.stat().st_mtime_ns for path in made]
    read()
    assert [path.stat().st_mtime_ns for path in made] == written


def test_the_verb_takes_any_size_and_passes_settings_on(person: Person, garment: Garment, worn: np.ndarray) -> None:
    engines._load.cache_clear()
    large = person.resized((900, 1536))
    mask = select(large.labels, UPPER)
    result = try_on(large, garment, mask=mask, engine="idm_vton", seed=2, **FAST)
    assert result.image.shape == large.image.shape
    assert (result.image == large.image)[~result.changed].all()
    engines.load("try_on", "idm_vton").close()


def test_the_terms_of_its_weights_are_not_commercial_and_said() -> None:
    record = engines.find("try_on", "idm_vton")
    assert not record.commercial
    assert {g for g in record.groups() if not weights.group(g).commercial} == {"idm_vton", "openpose", "humanparsing"}
    assert weights.group("idm_vton").licence in record.licence
    assert "CMU" in engines.find("annotate", "openpose_schp").licence
