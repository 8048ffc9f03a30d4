"""FASHN VTON's network, sampling, frames and skeletons, and DWPose's arithmetic, against the published ones."""

from __future__ import annotations

import golden
import numpy as np
import pytest
import torch

from helpers.annotation import dwpose
from helpers.tryon.fashn import frame, pipeline
from helpers.tryon.fashn.networks import TryOnModel

FAMILY = "fashn"
TRYON = golden.cases(FAMILY, "tryon")


def network_of(about: dict) -> TryOnModel:
    ctor = about["ctor"]
    return TryOnModel(
        ctor["hidden_size"],
        ctor["n_heads"],
        axes=tuple(ctor["axes_dim"]),
        mixer=ctor["patch_mixer_depth"],
        double=ctor["double_blocks_depth"],
        single=ctor["single_blocks_depth"],
        ratio=ctor.get("mlp_ratio", 4),
        patch=ctor["patch_size"],
    )


def shapes(network: torch.nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("case", TRYON)
@torch.no_grad()
def test_network_and_sampling(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    network = network_of(about)
    assert shapes(network) == about["state_dict"]
    golden.fill(network, about["seed"])
    given = {name: golden.recipe(words) for name, words in about["inputs"].items()}
    inputs = pipeline.Inputs(
        given["ca_images"],
        given["person_poses"],
        given["garment_images"],
        given["garment_poses"],
        torch.tensor(about["garment_categories"]),
    )
    noise, time = given["noise"], torch.tensor(about["times"])
    golden.close(network(noise, time, *vars(inputs).values()), expected["velocity"], 2e-5, "velocity")
    nothing = [part.chunk(2)[1] for part in vars(inputs.with_nothing()).values()]
    golden.close(network(noise, time, *nothing), expected["v_u"], 2e-5, "told nothing")
    assert about["runs"]
    for number, run in enumerate(about["runs"]):
        steps, shift = run["num_timesteps"], run["time_shift_mu"]
        flow = torch.tensor(pipeline.times(steps, shift), dtype=torch.float64)
        golden.close(flow, expected[f"run{number}.times"], 1e-7, "times")
        painted = pipeline.paint(
            network,
            inputs,
            noise,
            steps=steps,
            guidance_scale=run["guidance_scale"],
            unguided=run["skip_cfg_last_n_steps"],
            shift=shift,
        )
        golden.close(painted, expected[f"run{number}.image"], 5e-5, f"run {number}")


@pytest.mark.parametrize("case", TRYON)
def test_all_keys_of_the_published_network(case: str) -> None:
    with torch.device("meta"):
        network = TryOnModel()
        read = TryOnModel.of_state(network.state_dict())
    assert shapes(network) == shapes(read) == golden.load_json(FAMILY, case)["full"]
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == 971_814_240, "of the published file"


@pytest.mark.parametrize("case", golden.cases(FAMILY, "frames"))
def test_frames(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    assert about["cases"]
    for number in about["cases"]:
        one = {name: expected[f"{number}.{name}"].numpy() for name in ("image", "looked_at", "framed", "drawn", "back")}
        seen = frame.looked_at(one["image"], about["longest"])
        assert np.array_equal(seen, one["looked_at"])
        framed, place = frame.framed(seen, tuple(about["target"]))
        assert np.array_equal(framed, one["framed"])
        assert np.array_equal(place.of(framed), one["back"])
        assert np.array_equal(frame.framed(seen[..., 0], tuple(about["target"]), drawn=True)[0], one["drawn"])


@pytest.mark.parametrize("case", golden.cases(FAMILY, "skeletons"))
def test_skeletons(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    assert about["threshold"] == dwpose.SEEN
    assert about["sizes"]
    for number, size in enumerate(about["sizes"]):
        whole = expected[f"{number}.points"].numpy().copy()
        whole[:, 2] = whole[:, 2] > dwpose.SEEN
        assert np.array_equal(frame.skeleton_picture(whole, tuple(size)), expected[f"{number}.drawn"].numpy())


@pytest.mark.parametrize("case", golden.cases(FAMILY, "dwpose"))
def test_dwpose(case: str) -> None:
    about, expected = golden.load(FAMILY, case)
    image, size, shown = expected["image"].numpy(), tuple(about["detector_size"]), tuple(about["pose_size"])
    picture, scale = dwpose.detector_picture(image, size)
    golden.close(picture, expected["detector_picture"], 0, "detector's picture")
    found = dwpose.boxes(expected["detector_output"].numpy(), size, scale)
    golden.close(found, expected["boxes"], 1e-4, "boxes")
    assert len(expected["pose_pictures"]) > 1
    for number, box in enumerate(expected["boxes"].numpy()[: len(expected["pose_pictures"])]):
        picture, centre, room = dwpose.pose_picture(image, box, shown)
        golden.close(picture[0].transpose(1, 2, 0), expected["pose_pictures"][number], 1e-5, "pose network's picture")
        likely = [expected[f"likely_{axis}"][number].numpy() for axis in "xy"]
        whole = dwpose.points(*likely, shown, centre, room)
        golden.close(whole, expected["whole"][number], 1e-4, "points")
        golden.close(dwpose.with_neck(whole), expected["ordered"][number], 1e-4, "points with a neck")
