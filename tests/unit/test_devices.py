"""How much memory decides how networks run: one policy for every engine that paints."""

from pathlib import Path

import pytest

from helpers import machine

torch = pytest.importorskip("torch")

from helpers.devices import Device, Need, policy, tiled  # noqa: E402

NEED = Need(everything=20, one=8, untiled=12, host=30)


def gpu(memory: float) -> Device:
    return Device("cuda", "a GPU", memory)


@pytest.mark.parametrize(
    ("memory", "name", "offload", "tiles"),
    [
        (24, "fp16", "none", False),
        (20, "fp16", "none", False),
        (16, "fp16", "networks", False),
        (10, "fp16", "networks", True),
        (8, "fp16", "networks", True),
        (6, "low_vram", "layers", True),
    ],
)
def test_the_less_memory_the_less_is_on_the_gpu_at_once(memory: float, name: str, offload: str, tiles: bool) -> None:
    chosen = policy(gpu(memory), NEED, dtype=torch.float16)
    assert (chosen.name, chosen.offload, chosen.tiles) == (name, offload, tiles)
    assert chosen.kind == "cuda"
    assert chosen.dtype is torch.float16
    assert bool(chosen.note) == (offload != "none"), "what costs time is said"


def test_a_profile_that_is_asked_for_is_taken() -> None:
    assert policy(gpu(24), NEED, "low_vram", torch.float16).offload == "layers"
    assert policy(gpu(6), NEED, "fp16").offload == "networks"
    assert policy(gpu(24), NEED, "bf16", torch.float16).dtype is torch.bfloat16
    assert policy(gpu(24), NEED, dtype=torch.bfloat16).name == "bf16"
    on_the_cpu = policy(gpu(24), NEED, "cpu")
    assert (on_the_cpu.kind, on_the_cpu.dtype, on_the_cpu.offload) == ("cpu", torch.float32, "none")


@pytest.mark.parametrize(
    ("memory", "host", "dtype"), [(32, 30, "float32"), (16, 30, "bfloat16"), (0, 30, "float32"), (16, 0, "float32")]
)
def test_on_a_cpu_it_is_float32_where_that_fits(memory: float, host: float, dtype: str) -> None:
    chosen = policy(Device("cpu", "CPU", memory), Need(20, 8, 12, host))  # 0: the memory cannot be told, or none is needed
    assert (chosen.name, chosen.kind, chosen.dtype) == ("cpu", "cpu", getattr(torch, dtype))


@pytest.mark.parametrize("profile", ["fp16", "bf16", "low_vram"])
def test_a_gpu_that_is_not_there_is_said(profile: str) -> None:
    with pytest.raises(ValueError, match=f"profile '{profile}' needs a GPU and there is none; use profile='cpu' or 'auto'"):
        policy(Device("cpu", "CPU", 64), NEED, profile)


def test_only_decoding_is_in_tiles_and_tiles_are_smaller_than_the_picture() -> None:
    from helpers.testing.generation import tiny_vae

    vae, decoded, encoded = tiny_vae(), [], []
    assert vae.config.sample_size == 1024, "by itself diffusers would tile nothing up to that"
    vae.decoder.register_forward_hook(lambda *called: decoded.append(called[2].shape[-2:]))
    vae.encoder.register_forward_hook(lambda *called: encoded.append(called[1][0].shape[-2:]))
    latents = torch.zeros(1, 4, 128, 96)
    with torch.no_grad():
        with tiled(vae, True):
            assert vae.decode(latents).sample.shape[-2:] == (1024, 768)
        assert len(decoded) > 1
        assert all(height <= 512 and width <= 512 for height, width in decoded)
        vae.encode(torch.zeros(1, 3, 1024, 768))
    assert encoded == [(1024, 768)], "in tiles it would be another encoding"
    with tiled(vae, False):
        assert not vae.use_tiling


def test_free_memory_is_what_can_be_had() -> None:
    text = Path("/proc/meminfo")
    if not text.exists():
        pytest.skip("only Linux tells it there")
    available = next(int(line.split()[1]) for line in text.read_text().splitlines() if line.startswith("MemAvailable")) * 1024
    assert machine.free_memory() == pytest.approx(available, rel=0.1)
