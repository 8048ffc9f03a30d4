import shutil
from pathlib import Path

import pytest

from helpers import engines, weights


@pytest.fixture(autouse=True)
def _no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))


def test_without_weights_auto_finds_the_embedded_engine() -> None:
    for stage in ("generate", "segment", "try_on"):
        assert engines.find(stage).embedded
        assert engines.find(stage).name in engines.names(stage)
    with pytest.raises(weights.Missing, match="weights fetch openpose humanparsing densepose"):
        engines.find("annotate")


def test_every_group_of_weights_that_a_record_names_is_in_the_manifest() -> None:
    for record in engines.ENGINES:
        for group in record.groups():
            assert weights.group(group).records, record.name


def test_auto_takes_a_published_engine_whose_weights_are_here(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    shutil.copytree(tiny_weights / "sam", tmp_path / "sam", ignore=lambda _, names: [n for n in names if "vit_b" not in n])
    assert engines.full_name("segment") == "sam:vit_b"
    shutil.copy(tiny_weights / "sam/mobile_sam.pt", tmp_path / "sam")
    assert engines.full_name("segment") == "sam:mobile"  # the lightest, on a CPU
    assert engines.full_name("segment", "sam:vit_b") == "sam:vit_b"
    assert engines.find("generate").name == "mannequin"


def test_a_checkpoint_in_diffusers_folder_layout_counts(tmp_path: Path) -> None:
    with pytest.raises(weights.Missing, match=r"RealVisXL_V4\.0\.safetensors"):
        engines.ready("generate", "realvisxl:v4")
    folder = tmp_path / "realvisxl" / "RealVisXL_V4.0"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    assert engines.ready("generate", "realvisxl") == "realvisxl:v4"


def test_a_variant_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="no variant 'vit_x'; its variants: sam:vit_h"):
        engines.find("segment", "sam:vit_x")
    with pytest.raises(ValueError, match="its variants: none"):
        engines.find("segment", "superpixel:fast")


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ValueError, match="superpixel"):
        engines.find("segment", "magic")
    with pytest.raises(ValueError, match="generate, segment, annotate, try_on"):
        engines.names("fly")


@pytest.mark.parametrize("record", [e for e in engines.ENGINES if e.embedded], ids=lambda r: r.name)
def test_every_embedded_record_loads_and_frees_its_engine(record: engines.Engine) -> None:
    with engines.load(record.stage, record.name) as engine:
        assert engine is engines.load(record.stage, record.name)
