"""What a checkpoint file really is: sound, cut short and false ones of every kind, read, fitted and converted."""

from __future__ import annotations

import collections
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch import nn

from helpers.weights import checkpoints
from helpers.weights.checkpoints import Damaged, Mismatch, check, convert, fit, load_pickle_arrays, load_state_dict


def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "weight": torch.randn(30, 20, generator=generator),
        "bias": torch.randn(30, generator=generator),
        "turned": torch.randn(6, 5, generator=generator).T,
        "scalar": torch.tensor(3.5),
        "steps": torch.tensor([1, 2**40]),
        "yes": torch.tensor([True, False]),
        "none": torch.zeros(0, 4),
    }


def write(path: Path, kind: str) -> Path:
    """A small sound file of ``kind``."""
    if kind == "zip":
        torch.save(state(), path)
    elif kind == "legacy":
        torch.save(state(), path, _use_new_zipfile_serialization=False)
    elif kind == "safetensors":
        save_file({k: v.contiguous() for k, v in state().items()}, path)
    elif kind == "onnx":
        weight = numpy_helper.from_array(np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32), "w")
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in ("x", "y")]
        graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight])
        onnx.save(helper.make_model(graph), path)
    elif kind == "pickle":
        arrays = {k: v.numpy() for k, v in state().items()}
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "zoo"}, protocol=2))
    return path


FILES = {"zip": "a.pth", "legacy": "a.bin", "safetensors": "a.safetensors", "onnx": "a.onnx", "pickle": "a.pkl"}


def kind_of(path: Path) -> str:
    return checkpoints.KINDS[path.suffix]


@pytest.mark.parametrize("kind", FILES)
def test_a_sound_file_passes(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / FILES[kind], kind)
    assert check(path, kind_of(path)) == path


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused_wherever_it_was_cut(tmp_path: Path, kind: str, keep: float) -> None:
    path = write(tmp_path / FILES[kind], kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    read = {"onnx": lambda p: check(p, "onnx"), "pickle": load_pickle_arrays}.get(kind, load_state_dict)
    with pytest.raises(Damaged, match="Fetch"):
        read(path)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"this is a placeholder 31 bytes\n", "placeholder of 31 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
        (b"\n <HTML><head><title>404 Not Found</title></head><body>no such file here</body></HTML>", "HTML page"),
        (b'{"error": "Access to this model is restricted and you are not in the list of those who may"}', "JSON"),
        (b"\x00" * 4000, "is not a"),
        (b"\x89PNG\r\n\x1a\n" + b"\x01" * 4000, "is not a"),
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path: Path, kind: str, content: bytes, words: str) -> None:
    path = tmp_path / FILES[kind]
    path.write_bytes(content)
    with pytest.raises(Damaged, match=rf"part one: .*{words}"):
        check(path, kind_of(path), "part one")


@pytest.mark.parametrize(
    ("kind", "taken_for"), [(a, b) for a in FILES for b in FILES if kind_of(Path(FILES[a])) != kind_of(Path(FILES[b]))]
)
def test_one_kind_is_not_taken_for_another(tmp_path: Path, kind: str, taken_for: str) -> None:
    path = write(tmp_path / "file", kind)
    if {kind, taken_for} == {"legacy", "pickle"}:  # both are pickles, and reading them tells
        path = path.rename(tmp_path / FILES[taken_for])
        with pytest.raises(Damaged):
            (load_pickle_arrays if taken_for == "pickle" else load_state_dict)(path)
        return
    with pytest.raises(Damaged):
        check(path, kind_of(Path(FILES[taken_for])))


def test_json_and_text(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1')
    with pytest.raises(Damaged, match="is not JSON"):
        check(path, "json")
    path.write_text("<!DOCTYPE html>")
    with pytest.raises(Damaged, match="HTML"):
        check(path, "json")
    path.write_text("{}")
    assert check(path, "json") == path


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_tensors_are_read_as_they_were_written(tmp_path: Path, kind: str) -> None:
    read = load_state_dict(write(tmp_path / FILES[kind], kind))
    assert read.keys() == state().keys()
    for name, value in state().items():
        assert read[name].dtype == value.dtype
        assert torch.equal(read[name], value), name
        assert read[name].device.type == "cpu"


def test_the_wrappers_of_trainers_are_looked_into(tmp_path: Path) -> None:
    torch.save({"state_dict": state(), "epoch": 3}, tmp_path / "a.pth")
    assert load_state_dict(tmp_path / "a.pth").keys() == state().keys()
    torch.save([1, 2], tmp_path / "b.pth")
    with pytest.raises(Damaged, match="no named tensors"):
        load_state_dict(tmp_path / "b.pth")


def test_tensors_saved_on_a_gpu_are_read_without_one(tmp_path: Path) -> None:
    """The location is a word in the file; written here as a machine with a GPU would write it."""
    torch.save(state(), tmp_path / "a.bin", _use_new_zipfile_serialization=False)
    content = (tmp_path / "a.bin").read_bytes()
    on_gpu = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert on_gpu != content
    (tmp_path / "a.bin").write_bytes(on_gpu)
    assert torch.equal(load_state_dict(tmp_path / "a.bin")["weight"], state()["weight"])


class Evil:
    """Unpickled carelessly, it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.target,)


@pytest.mark.parametrize("suffix", [".pth", ".pkl"])
def test_code_in_a_checkpoint_is_refused_and_does_not_run(tmp_path: Path, suffix: str) -> None:
    path, target = tmp_path / f"a{suffix}", tmp_path / "harmed"
    if suffix == ".pth":
        torch.save({"a": Evil(target)}, path)
        with pytest.raises(Damaged, match="cannot be read as a checkpoint of plain tensors"):
            load_state_dict(path)
    else:
        path.write_bytes(pickle.dumps({"model": {"a": Evil(target)}, "padding": b"\0" * 100}))
        with pytest.raises(Damaged, match=r"asks for (posix|nt)\.mkdir"):
            load_pickle_arrays(path)
    assert not target.exists()
    pickle.loads(pickle.dumps(Evil(target)))  # the trap is a trap
    assert target.exists()


@pytest.mark.parametrize("names", [("builtins", "eval"), ("numpy", "load"), ("builtins", "getattr"), ("torch", "load")])
def test_only_what_arrays_need_is_admitted(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02c" + "\n".join(names).encode() + b"\n" + b"X\x64\x00\x00\x00" + b"a" * 100 + b"\x85R.")
    with pytest.raises(Damaged, match=rf"asks for {names[0]}\.{names[1]}"):
        load_pickle_arrays(path)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_arrays_of_the_model_zoo(tmp_path: Path, protocol: int, core: str) -> None:
    arrays = collections.OrderedDict(
        a=np.arange(6.0).reshape(2, 3), b=np.float32(2.5), c=np.asfortranarray(np.eye(3, dtype=np.float32))
    )
    content = pickle.dumps({"model": arrays, "__author__": "zoo", "matching_heuristics": True}, protocol=protocol)
    if protocol == 2:  # names are lines in this protocol, and lengths elsewhere do not change with them
        content = content.replace(b"cnumpy._core.", b"cnumpy.core.").replace(b"cnumpy.core.", b"c" + core.encode() + b".")
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    read = load_pickle_arrays(path)
    for name, value in arrays.items():
        assert np.array_equal(read[name], value)


def test_an_array_pickled_by_python_2(tmp_path: Path) -> None:
    """The zoo's files were: strings in them are bytes, which latin1 keeps."""
    data = np.arange(40, dtype=np.float32)
    raw = data.tobytes()
    content = (
        b"\x80\x02}U\x05model}U\x01wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x28\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + (b"U" + bytes([len(raw)]) + raw)
        + b"tbss."
    )
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    assert np.array_equal(load_pickle_arrays(path)["w"], data)


def test_fit_is_strict_and_says_what_differs() -> None:
    net = nn.Linear(4, 3)
    sound = {"weight": torch.ones(3, 4), "bias": torch.ones(3)}
    fit(net, sound, "linear")
    assert net(torch.ones(4)).tolist() == [5.0] * 3
    with pytest.raises(Mismatch, match=r"linear is .*1 missing \(bias\); 1 unexpected \(other\)"):
        fit(net, {"weight": torch.ones(3, 4), "other": torch.ones(1)}, "linear")
    with pytest.raises(Mismatch, match=r"of another shape \(weight \(3, 5\), not \(3, 4\)\)"):
        fit(net, sound | {"weight": torch.ones(3, 5)}, "linear")
    fit(net, sound | {"ema.decay": torch.ones(1)}, "linear", unused=(r"ema\..*",))
    with pytest.raises(Mismatch, match="unexpected"):
        fit(net, sound | {"my.ema.decay": torch.ones(1)}, "linear", unused=(r"ema\..*",))


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_conversion_is_what_safetensors_itself_would_have_written(
    tmp_path: Path, kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_AT_ONCE", 1000)  # several mappings
    source = write(tmp_path / FILES[kind], kind)
    made = load_file(convert(source, tmp_path / "out" / "b.safetensors", dtype))
    assert made.keys() == state().keys()
    for name, value in state().items():
        wanted = value.to(dtype) if value.is_floating_point() else value
        assert made[name].dtype == wanted.dtype
        assert torch.equal(made[name], wanted), name
    header = (tmp_path / "out/b.safetensors").read_bytes()
    length = struct.unpack("<Q", header[:8])[0]
    assert json.loads(header[8 : 8 + length])["__metadata__"] == {"format": "pt"}
    assert length % 8 == 0


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "a.bin", "zip")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "_write_tensor", full)
    with pytest.raises(OSError, match="could not be written"):
        convert(source, tmp_path / "b.safetensors", torch.float16)
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
