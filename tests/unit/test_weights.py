"""The registry of published files, where they are looked for, and how they are judged and listed."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file

from helpers import engines, inventory, weights
from helpers.cli import main
from helpers.weights import Record, registry, verify


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights, and no hub cache."""
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("ATELIER_DEVICE", "cpu")
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "weights"


def put(path: Path, content: bytes | dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        torch.save(content, path)
    else:
        path.write_bytes(content)
    return path


NET = {"a": torch.zeros(3)}
UNSURE = "idm_vton/image_encoder/model.safetensors"
"""A record whose hash is not well established."""


def test_the_manifest_has_all_it_promises() -> None:
    assert {r.group for r in weights.records()} == {
        g for engine in engines.ENGINES for g in (*engine.groups(), *engine.optional)
    }
    for record in weights.records():
        assert record.licence, record.name
        assert record.terms, record.name
        assert sum(map(bool, (record.hub, record.url, record.drive, record.package))) == 1, record.name
        assert record.hash in ("established", "unsure", "none")
        assert bool(record.sha256) == (record.hash != "none"), record.name
        assert not record.sha256 or re.fullmatch("[0-9a-f]{64}", record.sha256), record.name
        assert not record.sha256 or record.bytes, record.name
    paths = [record.path for record in weights.records()]
    assert len(set(paths)) == len(paths)
    assert len(weights.records("idm_vton")) == 22
    assert len(weights.records("sdxl_base")) == 14


def test_what_one_must_not_use_commercially_is_marked() -> None:
    restricted = {r.group for r in weights.records() if not r.commercial}
    assert restricted == {"idm_vton", "hr_viton", "openpose", "humanparsing", "viton_hd"}
    for engine in engines.ENGINES:
        assert engine.commercial == (not restricted & set(engine.groups())), engine.name


def test_the_known_facts_are_recorded() -> None:
    (v4,) = weights.records("realvisxl_v4")
    assert (v4.bytes, v4.sha256[:8], v4.hash) == (6_938_040_706, "912c9dc7", "established")
    (lightning,) = weights.records("realvisxl_v4_lightning")
    assert lightning.hash == "none"
    assert weights.records("idm_vton/unet/diffusion_pytorch_model.bin")[0].bytes == 11_965_769_774
    assert weights.group("idm_vton").needs == ("openpose", "humanparsing", "densepose")


def test_an_unknown_name_lists_the_groups() -> None:
    with pytest.raises(ValueError, match="Groups: realvisxl_v4, "):
        weights.records("sam")


def test_a_missing_file_is_named_with_licence_and_command() -> None:
    with pytest.raises(
        weights.Missing, match=r"body_pose_model.pth .*CMU.*non-commercial.*python -m helpers weights fetch openpose"
    ):
        weights.require("openpose")
    assert not weights.here("openpose")


@pytest.mark.parametrize("place", ["sam/sam_vit_b_01ec64.pth", "sam_vit_b_01ec64.pth", "models/sams/sam_vit_b_01ec64.pth"])
def test_a_file_is_found_where_others_put_it(folder: Path, place: str) -> None:
    path = put(folder / place, NET)
    assert weights.require("sam_vit_b") == path
    assert weights.here("sam_vit_b")
    assert not weights.here("sam_vit_l")


def test_downloads_under_way_and_names_that_many_files_share_are_not_taken(folder: Path) -> None:
    put(folder / ".fetching/sam_vit_b/sam_vit_b_01ec64.pth", NET)
    assert weights.find("sam_vit_b") is None
    put(folder / "somewhere/config.json", b"{}")
    assert weights.find("idm_vton/vae/config.json") is None


def test_idm_vtons_own_folder_and_its_openpose_checkpoints_are_read_as_they_are(folder: Path) -> None:
    path = put(folder / "idm_vton/openpose/ckpts/body_pose_model.pth", NET)
    assert weights.require("openpose") == path


def test_a_folder_to_use_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="weights_folder: there is no folder"):
        weights.use(tmp_path / "nowhere")
    (tmp_path / "mine").mkdir()
    weights.use(tmp_path / "mine")
    assert weights.folder() == tmp_path / "mine"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"checkpoint placeholder\n", "placeholder of 23 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 209267595\n", "Git LFS pointer"),
        (b"<!doctype html><html><head><title>Sign in</title></head></html>" * 9, "HTML page"),
    ],
)
def test_a_placeholder_is_not_here_and_is_named(folder: Path, content: bytes, words: str) -> None:
    put(folder / "openpose/body_pose_model.pth", content)
    assert not weights.here("openpose")
    with pytest.raises(weights.Damaged, match=rf"{words}.*weights fetch openpose"):
        weights.require("openpose")
    assert words in verify.presence("openpose")


def test_a_sound_file_of_another_size_runs_but_is_listed_as_another(folder: Path) -> None:
    path = put(folder / "sam/sam_vit_b_01ec64.pth", NET)
    assert weights.require("sam_vit_b") == path
    assert verify.presence("sam_vit_b") == "here, not the published size"
    verdict = verify.compare(weights.records("sam_vit_b")[0])
    assert (verdict.state, verdict.sure, verdict.good) == ("differs", True, False)
    assert "the published one 375042383" in verdict.text
    put(folder / UNSURE, safetensors.torch.save(NET))
    (record,) = weights.records(UNSURE)
    assert record.hash == "unsure"
    verdict = verify.compare(record)
    assert (verdict.state, verdict.sure, verdict.good) == ("differs", True, False)  # a millionth of the size is no doubt
    path = folder / UNSURE
    verdict = verify.compare_file(path, replace(record, bytes=path.stat().st_size + 8))
    assert (verdict.state, verdict.sure, verdict.good) == ("differs", False, True)


def test_the_same_bytes_verify(folder: Path, publish: Callable[..., Record]) -> None:
    path = put(folder / "net/a.pth", NET)
    known = {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "hash": "established"}
    publish({"path": "a.pth", "url": "http://localhost/a.pth", **known})
    assert verify.compare(weights.records("net")[0]).state == "same"
    content = bytearray(path.read_bytes())
    content[-60] ^= 1  # one bit, the same length
    path.write_bytes(content)
    verdict = verify.compare(weights.records("net")[0])
    assert verdict.state in ("differs", "damaged")
    assert not verdict.good


def test_the_file_in_16_bits_is_enough_once_the_published_one_is_deleted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "idm_vton/unet/diffusion_pytorch_model.bin"
    source = put(folder / name, {"w": torch.rand(8, 8)})
    made = weights.converted(name, torch.float16)
    assert made == folder / "idm_vton/unet/diffusion_pytorch_model.fp16.safetensors"
    assert "converting" in capsys.readouterr().out
    stamp = made.stat().st_mtime_ns
    source.unlink()
    assert weights.here(name)
    assert weights.require(name) == made
    assert weights.converted(name, torch.float16) == made
    assert made.stat().st_mtime_ns == stamp
    assert verify.compare(weights.records(name)[0]).state == "converted"
    assert capsys.readouterr().out == ""


def test_the_hub_cache_is_read_and_not_filled(folder: Path, tmp_path: Path) -> None:
    name, commit = "idm_vton/unet/diffusion_pytorch_model.bin", "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hf/hub/models--yisol--IDM-VTON"
    put(cache / "refs/main", commit.encode())
    source = put(cache / "snapshots" / commit / "unet/diffusion_pytorch_model.bin", {"w": torch.rand(8, 8)})
    assert weights.find(name) == source
    assert weights.converted(name, torch.float16) == folder / "idm_vton/unet/diffusion_pytorch_model.fp16.safetensors"
    assert [p.name for p in source.parent.iterdir()] == [source.name]


def test_a_newer_source_is_converted_again(folder: Path) -> None:
    name = "idm_vton/unet/diffusion_pytorch_model.bin"
    put(folder / name, {"w": torch.zeros(4)})
    made = weights.converted(name, torch.bfloat16)
    put(folder / name, {"w": torch.ones(4)})
    os.utime(folder / name, (made.stat().st_mtime + 5,) * 2)
    assert load_file(weights.converted(name, torch.bfloat16))["w"].sum() == 4


def test_the_table_has_a_row_a_group(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder / "sam/mobile_sam.pt", NET)
    put(folder / "idm_vton/vae/config.json", b"{}")
    rows = {row["weights"]: row for row in inventory.rows()}
    assert list(rows) == list(weights.groups())
    assert rows["mobile_sam"]["here"].startswith("here")
    assert rows["idm_vton"]["here"] == "1 of 22 files"
    assert rows["idm_vton"]["size"] == "28.37 GB"
    assert rows["idm_vton"]["fits this machine"].startswith("no: idm_vton needs a GPU")
    assert rows["realvisxl_v4_lightning"]["size"] == "not recorded"
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        len({line.index(word) for line, word in zip(lines[5:7], ("Apache", "Apache"), strict=True)}) == 1
    )  # columns are aligned


def test_the_engines_table_says_which_variants_are_here(folder: Path) -> None:
    put(folder / "sam/mobile_sam.pt", NET)
    put(folder / "sam/sam_vit_b_01ec64.pth", NET)
    put(folder / "realvisxl/RealVisXL_V4.0.safetensors", safetensors.torch.save(NET))  # of no use without sdxl_base
    rows = {row["engine"]: row for row in inventory.engine_rows()}
    assert list(rows) == [engine.name for engine in engines.ENGINES]
    assert rows["sam"]["variants"] == "vit_h, vit_l, vit_b, mobile"
    assert rows["sam"]["weights here"] == "vit_b, mobile"
    assert rows["sam"]["auto"] == "yes"
    assert rows["superpixel"]["weights here"] == "embedded"
    assert rows["realvisxl"]["weights here"] == rows["idm_vton"]["weights here"] == "no"
    assert rows["idm_vton"]["fits this machine"] == "no"  # what it needs stands beside it
    assert "a GPU of 8 GB" in rows["idm_vton"]["needs"]
    assert "CC BY-NC-SA" in rows["idm_vton"]["licence"]


def test_verify_fails_on_damage_and_passes_over_what_is_not_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify"]) == 0
    assert "none of the" in capsys.readouterr().out
    put(folder / UNSURE, safetensors.torch.save(NET))
    assert main(["weights", "verify"]) == 1
    assert f"WRONG    {UNSURE}: has " in capsys.readouterr().out
    (folder / UNSURE).unlink()
    whole = put(folder / "sam/mobile_sam.pt", NET)
    assert main(["weights", "verify"]) == 1
    assert "WRONG    sam/mobile_sam.pt: has " in capsys.readouterr().out
    whole.write_bytes(whole.read_bytes()[:-40])
    assert main(["weights", "verify"]) == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert "cut short" in out
    assert "published: 40728226 bytes" in out
    assert "weights fetch mobile_sam" in out


def test_convert_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "net.bin", {"w": torch.rand(5)})
    assert main(["weights", "convert", str(tmp_path / "net.bin"), "--dtype", "bf16"]) == 0
    assert (tmp_path / "net.bf16.safetensors").exists()
    assert main(["weights", "convert", "idm_vton"]) == 2
    assert "weights fetch idm_vton" in capsys.readouterr().err


def test_reading_the_registry_imports_no_network_library() -> None:
    code = "import sys, helpers.weights as w; w.here('idm_vton'); print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", "import json;" + code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "diffusers", "onnxruntime", "requests", "gdown"} & set(json.loads(out))


def test_each_module_knows_only_those_before_it() -> None:
    order = (
        "formats",
        "pickles",
        "checkpoints",
        "digests",
        "registry",
        "verify",
        "web",
        "packages",
        "underway",
        "downloads",
        "archives",
    )
    for place, name in enumerate(order):
        tree = ast.parse((Path(registry.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        froms = [
            node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers")
        ]
        paths = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
        known = {path.split(".")[2] for path in paths if path.startswith("helpers.weights.")}
        assert known <= set(order[:place]), name
        assert not {path for path in paths if path.startswith(("helpers.engines", "helpers.inventory"))}, name


def test_the_command_line_is_what_python_runs() -> None:
    listed = subprocess.run([sys.executable, "-m", "helpers", "engines"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in listed.splitlines()] == [engine.name for engine in engines.ENGINES]
    refused = subprocess.run([sys.executable, "-m", "helpers", "run", "99"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: there is no notebook '99'")


def test_a_full_disk_is_noticed_before_a_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = put(tmp_path / "net.bin", {"w": torch.rand(5)})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"converting net.bin needs .* to spare"):
        weights.convert(source, tmp_path / "net.safetensors", torch.float16)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["net.bin"]
