"""Weights files that are broken, unlucky or made to do harm. A line a file: what it is called, what is in it, which words the error has.

Nothing may run, crash, hang or fill the memory, and nothing may be taken for what it is not. To add a file, add a line to its table.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import struct
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save

from helpers import weights
from helpers.weights import Damaged, registry

ADVICE = re.compile(r"weights_only|trust_remote_code|allow_pickle", re.IGNORECASE)
"""What no message may advise."""


def read(path: Path) -> Any:
    """As the engines read a file of this kind."""
    readers = {".pkl": weights.load_pickle_arrays, ".json": lambda p: weights.check(p, "json")}
    readers |= {".txt": lambda p: weights.check(p, "text"), ".onnx": lambda p: weights.check(p, "onnx")}
    return readers.get(path.suffix, weights.load_state_dict)(path)


def refused(path: Path, words: str) -> None:
    with pytest.raises(Damaged, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "etch" in str(caught.value)  # the remedy
    error: BaseException | None = caught.value
    while error is not None and not (error.__suppress_context__ and error.__cause__ is None):
        assert not ADVICE.search(str(error))
        error = error.__cause__ or error.__context__
    assert error is None or not ADVICE.search(str(error))


# Pickles of arrays, put together by hand: what an honest pickler never writes

PAD = b"X\x64\x00\x00\x00" + b"p" * 100 + b"0"  # a text that is dropped: no file is as small as a placeholder
F4 = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def raw(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def dtype(code: str = "f4", order: str = "<", fields: bytes = b"NNN", flags: bytes = b"K\x00") -> bytes:
    state = b"(K\x03" + text(order) + fields + b"J\xff\xff\xff\xffJ\xff\xff\xff\xff" + flags + b"tb"
    return b"cnumpy\ndtype\n" + text(code) + b"\x89\x88\x87R" + state


def array(shape: bytes = b"K\x02\x85", kind: bytes = F4, data: bytes = raw(bytes(8)), columns: bytes = b"\x89") -> bytes:
    return RECONSTRUCT + b"(K\x01" + shape + kind + columns + data + b"tb"


def long(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def zoo(value: bytes, name: bytes = text("w")) -> bytes:
    """A pickle ``{"model": {name: value}}``; the padding sits beside it."""
    return b"\x80\x03}(" + text("pad") + text("p" * 100) + text("model") + b"}" + name + value + b"su."


def laughs(depth: int) -> bytes:
    """A tuple of two of a tuple of two of ...: 2 to the power of ``depth`` to whoever walks it."""
    return b")" + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + b"\x86" for n in range(depth))


PICKLES: dict[str, tuple[bytes, str]] = {
    "object array from raw bytes": (zoo(array(kind=dtype("O8", "|"))), "type 'O8'"),
    "object array by flags": (zoo(array(b"K\x01\x85", dtype("V8", "|", flags=b"K\x3f"))), "type 'V8'"),
    "flags of an object in a float": (zoo(array(b"K\x01\x85", dtype("f8", flags=b"K\x3f"))), ""),
    "flags without end": (zoo(array(b"K\x01\x85", dtype("f8", flags=long(2**60)))), ""),
    "fields that are objects": (zoo(array(kind=dtype("f4", fields=b"N" + text("a") + b"\x85}"))), "structures"),
    "a subarray": (zoo(array(kind=dtype("f4", fields=F4 + b"K\x02\x85\x86NN"))), "structures"),
    "an order of bytes that there is not": (zoo(array(kind=dtype("f4", "!"))), "structures"),
    "a dtype by a dictionary": (zoo(array(kind=b"cnumpy\ndtype\n}\x89\x88\x87R")), "type '{}'"),
    "a dtype by a comma": (zoo(array(kind=dtype("f4,O"))), "type 'f4,O'"),
    "texts": (zoo(array(kind=dtype("U1"))), "type 'U1'"),
    "dates": (zoo(array(kind=dtype("M8"))), "type 'M8'"),
    "long doubles": (zoo(array(b"K\x01\x85", dtype("f16"), raw(bytes(16)))), "type 'f16'"),
    "too few bytes": (zoo(array(b"K\x03\x85")), "has 8 bytes"),
    "too many bytes": (zoo(array(b"K\x01\x85")), "has 8 bytes"),
    "a huge shape": (zoo(array(long(2**40) + b"\x85")), "has 8 bytes"),
    "a shape that overflows": (zoo(array(long(2**61) + long(2**61) + b"\x86")), "has 8 bytes"),
    "a shape beyond any number": (zoo(array(long(2**90) + b"\x85")), "a shape is none"),
    "a negative shape": (zoo(array(b"J\xff\xff\xff\xff\x85")), "a shape is none"),
    "a shape of texts": (zoo(array(text("2") + b"\x85")), "a shape is none"),
    "a shape of truths": (zoo(array(b"\x88\x85")), "a shape is none"),
    "a shape of fractions": (zoo(array(b"G" + struct.pack(">d", 2.0) + b"\x85")), "a shape is none"),
    "a shape that is a list": (zoo(array(b"]K\x02a")), "a shape is none"),
    "40 dimensions": (zoo(array(b"(" + b"K\x01" * 39 + b"K\x02t")), "a shape is none"),
    "no bytes but numbers": (zoo(array(data=b"](K\x01K\x02e")), "something else than bytes"),
    "no bytes but none": (zoo(array(data=b"N")), "something else than bytes"),
    "characters beyond bytes": (zoo(array(data=text("\u20ac" * 8))), "no such file"),
    "filled twice": (zoo(array()[:-2] + b"tb(K\x01K\x02\x85" + F4 + b"\x89" + raw(bytes(8)) + b"tb"), "fills an array twice"),
    "never filled": (zoo(RECONSTRUCT), "no named arrays"),
    "an array of a subclass": (zoo(RECONSTRUCT.replace(b"cnumpy\nndarray", b"cnumpy\nmatrix")), "asks for numpy.matrix"),
    "a record array": (zoo(b"cnumpy.core.records\nrecarray\n"), "asks for numpy.core.records.recarray"),
    "a memmap": (zoo(b"cnumpy\nmemmap\n"), "asks for numpy.memmap"),
    "numpy.load": (zoo(b"cnumpy\nload\n" + text("x") + b"\x85R"), "asks for numpy.load"),
    "os.system": (zoo(b"cos\nsystem\n" + text("true") + b"\x85R"), "asks for os.system"),
    "os.system by a newer opcode": (zoo(text("os") + text("system") + b"\x93" + text("true") + b"\x85R"), "asks for os.system"),
    "a name within a name": (zoo(text("numpy") + text("ndarray.tofile") + b"\x93"), "asks for numpy.ndarray.tofile"),
    "a name that is a number": (zoo(b"K\x01K\x02\x93"), "without a name"),
    "builtins.getattr": (zoo(b"cbuiltins\ngetattr\n"), "asks for builtins.getattr"),
    "bytes of a length": (zoo(b"cbuiltins\nbytes\n" + long(2**40) + b"\x85R"), "asks for builtins.bytes"),
    "a codec that unpacks": (zoo(b"c_codecs\nencode\n" + raw(b"x" * 80) + text("bz2") + b"\x86R"), "asks for _codecs.encode"),
    "a codec of zip": (zoo(b"c_codecs\nencode\n" + text("x") + text("zip") + b"\x86R"), "asks for _codecs.encode"),
    "_codecs.decode": (zoo(b"c_codecs\ndecode\n"), "asks for _codecs.decode"),
    "encoding a number": (zoo(b"c_codecs\nencode\nK\x01" + text("latin1") + b"\x86R"), "something else than bytes"),
    "an extension": (zoo(b"\x82\x01"), "uses EXT1"),
    "a persistent id": (zoo(text("x") + b"Q"), "refers to something outside"),
    "an old persistent id": (zoo(b"Pfile\n"), "uses PERSID"),
    "an instance": (zoo(b"(ios\nsystem\n"), "uses INST"),
    "an object": (zoo(b"(cnumpy\nndarray\no"), "uses OBJ"),
    "a new object": (zoo(b"cnumpy\nndarray\n)\x81"), "uses NEWOBJ"),
    "a buffer from outside": (zoo(b"\x97"), "uses NEXT_BUFFER"),
    "a set": (zoo(b"\x8f"), "uses EMPTY_SET"),
    "state for an ordered dictionary": (
        zoo(b"ccollections\nOrderedDict\n)R}" + text("__class__") + F4 + b"sb"),
        "changes what no file",
    ),
    "methods put over": (zoo(b"ccollections\nOrderedDict\n)R}" + text("keys") + b"Nsb"), "changes what no file"),
    "state for a list": (zoo(b"]}b"), "changes what no file"),
    "a call of a text": (zoo(text("os.system") + b")R"), "calls what is no function"),
    "a call without arguments": (zoo(b"cnumpy\ndtype\n)R"), "no plain pickle"),
    "a call with a list": (zoo(b"cnumpy\ndtype\n]R"), "calls what is no function"),
    "an empty stack": (b"\x80\x03" + PAD + b"R.", "."),
    "marks that do not match": (b"\x80\x03}" + text("p" * 90) + b"u.", "."),
    "nothing remembered": (zoo(b"h\x07"), "no plain pickle"),
    "an unknown opcode": (zoo(b"\xff"), "unknown|not known|no plain"),
    "a length beyond the file": (zoo(b"B\xff\xff\xff\x7f" + b"x" * 40), "expected 2147483647 bytes"),
    "a length beyond any": (zoo(b"\x8e" + b"\xff" * 8 + b"x" * 40), "no plain pickle"),
    "a long number beyond the file": (zoo(b"\x8b\xff\xff\xff\x7f" + b"x" * 40), "no plain pickle"),
    "a negative length": (zoo(b"\x8b\xff\xff\xff\xff" + b"x" * 40), "no plain pickle"),
    "a number of 100,000 bits": (zoo(b"\x8b" + struct.pack("<i", 12_500) + b"\x01" * 12_500), "number without bounds"),
    "digits without end": (zoo(b"L" + b"9" * 5000 + b"L\n"), "no plain pickle"),
    "a text that is none": (zoo(b"X\x04\x00\x00\x00\xff\xfe\xfd\xfc"), "no plain pickle"),
    "half a character as a name": (zoo(array(), b"X\x03\x00\x00\x00\xed\xa0\x80"), "no plain pickle"),
    "a pickle in a frame that lies": (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f}" + PAD + b"}.", "."),
    "names that are numbers": (zoo(array(), b"K\x01"), "no named arrays"),
    "names that are nothing": (zoo(array(), b"N"), "no named arrays"),
    "names that are arrays": (zoo(array(), array()), "by what is no text"),
    "names that are lists": (zoo(array(), b"]"), "by what is no text"),
    "names that laugh": (zoo(array(), laughs(60)), "by what is no text"),
    "a value that laughs": (zoo(laughs(200)), "no named arrays"),
    "the same name twice": (zoo(array() + b"s" + text("w") + array()), "'w' twice"),
    "the model twice": (zoo(array() + b"s" + text("w2") + array() + b"s" + text("w2") + array()), "'w2' twice"),
    "a dictionary where an array should be": (zoo(b"}"), "no named arrays"),
    "a text where an array should be": (zoo(text("array")), "no named arrays"),
    "a number where an array should be": (zoo(b"K\x01"), "no named arrays"),
    "an empty model": (b"\x80\x03}(" + text("pad") + text("p" * 90) + text("model") + b"}u.", "no named arrays"),
    "a list where the model should be": (b"\x80\x03}" + text("model") + b"]" + text("p" * 90) + b"as.", "no named arrays"),
    "a text for everything": (b"\x80\x03" + text("p" * 200) + b".", "no named arrays"),
    "itself": (b"\x80\x03}q\x00(" + text("pad") + text("p" * 90) + text("model") + b"h\x00u.", "no named arrays"),
    "100,000 lists deep": (zoo(b"]" * 100_000 + b"a" * 99_999), "no named arrays"),
    "100,000 tuples deep": (zoo(b")" + b"\x85" * 100_000), "no named arrays"),
    "half a million opcodes": (zoo(b"N" + b"\x85" * 500_000), "longer than any file"),
    "one content for many arrays": (
        zoo(raw(bytes(8)) + b"q\x00" + b"".join(b"s" + text(f"w{n}") + array(data=b"h\x00") for n in range(400)), text("a")),
        "no named arrays",
    ),
    "a scalar with too many bytes": (zoo(b"cnumpy.core.multiarray\nscalar\n" + F4 + raw(bytes(8)) + b"\x86R"), "has 8 bytes"),
    "a scalar that is an object": (
        zoo(b"cnumpy.core.multiarray\nscalar\n" + dtype("O8", "|") + raw(bytes(8)) + b"\x86R"),
        "'O8'",
    ),
    "a buffer that is a list": (
        zoo(b"cnumpy.core.numeric\n_frombuffer\n(]" + F4 + b"K\x02\x85" + text("C") + b"tR"),
        "something else than bytes",
    ),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_of_arrays(tmp_path: Path, name: str) -> None:
    content, words = PICKLES[name]
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    if words:
        refused(path, words)
    else:  # what a file says beyond numbers is passed over
        assert read(path)["w"].tolist() == [0.0]


def test_what_an_honest_pickle_may_hold(tmp_path: Path) -> None:
    """Other orders of bytes, columns first, single numbers, nothing at all, truths that are not 0 or 1."""
    kinds = ["?", "i1", "u2", ">i4", "<u8", "f2", ">f4", "f8", "c8", ">c16"]
    honest = {kind: np.arange(6).reshape(2, 3).astype(kind) for kind in kinds}
    honest |= {"columns": np.asfortranarray(np.eye(3)), "one": np.float32(2), "none": np.zeros((0, 4)), "point": np.array(7)}
    for protocol in (2, 3, 4, 5):
        path = tmp_path / "a.pkl"
        path.write_bytes(pickle.dumps({"model": OrderedDict(honest), "__author__": "zoo", "n": 3}, protocol=protocol))
        found = read(path)
        assert found.keys() == honest.keys()
        for name, value in honest.items():
            assert np.array_equal(found[name], value), (protocol, name)
            assert found[name].dtype.isnative
            assert found[name].flags.writeable
    path.write_bytes(zoo(array(kind=dtype("b1", "|"), data=raw(b"\x02\x00"))))
    assert read(path)["w"].view(np.uint8).tolist() == [1, 0]


# safetensors

SOUND = save({"a": torch.zeros(4), "b": torch.ones(2)})
HONEST = ["bool", *(f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("", "u"))]
HONEST += ["float16", "bfloat16", "float32", "float64", "complex64"]
HONEST += [f"float8_{kind}" for kind in ("e4m3fn", "e5m2", "e8m0fnu", "e4m3fnuz", "e5m2fnuz")]


def header(entries: Any, data: bytes = bytes(16), length: int | None = None) -> bytes:
    content = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + data + b""


def one(**changed: Any) -> bytes:
    """A file of one tensor of four float32, padded by what the file says of itself."""
    entry = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | changed
    return header({"__metadata__": {"format": "pt" + "x" * 60}, "w": entry})


SAFETENSORS: dict[str, tuple[bytes, str]] = {
    "offsets as text": (one(data_offsets=["0", "16"]), "no whole numbers"),
    "offsets as fractions": (one(data_offsets=[0.0, 16.0]), "no whole numbers"),
    "offsets as truths": (one(data_offsets=[False, True], shape=[0]), "no whole numbers"),
    "offsets as nothing": (one(data_offsets=None), "no whole numbers"),
    "offsets as a dictionary": (one(data_offsets={"0": 0}), "no whole numbers"),
    "one offset": (one(data_offsets=[16]), "no whole numbers"),
    "three offsets": (one(data_offsets=[0, 8, 16]), "no whole numbers"),
    "negative offsets": (one(data_offsets=[-16, 0]), "no whole numbers"),
    "offsets the wrong way round": (one(data_offsets=[16, 0]), "another size than its place"),
    "offsets beyond any file": (one(data_offsets=[0, 2**70], shape=[2**68]), "cut short"),
    "a shape as text": (one(shape="4"), "no whole numbers"),
    "a shape of texts": (one(shape=["4"]), "no whole numbers"),
    "a negative shape": (one(shape=[-4]), "no whole numbers"),
    "a shape that multiplies out": (one(shape=[-2, -2]), "no whole numbers"),
    "a huge shape": (one(shape=[2**40, 2**40]), "another size"),
    "another shape": (one(shape=[5]), "another size"),
    "an unknown type": (one(dtype="F99"), "holds 'F99'"),
    "a type as a number": (one(dtype=32), "holds '32'"),
    "a type as a list": (one(dtype=["F32"]), "holds"),
    "something missing": (header({"pad": {}, "w": {"dtype": "F32", "shape": [4], "x" * 40: 1}}), "none of a tensor"),
    "something more": (one(code="import os"), "none of a tensor"),
    "an entry that is a list": (header({"w": [1, 2, 3], "pad": "x" * 60}), "none of a tensor"),
    "an entry that is nothing": (header({"w": None, "pad": "x" * 60}), "none of a tensor"),
    "metadata that are a list": (header({"__metadata__": [1] * 30}), "not text"),
    "metadata that are numbers": (header({"__metadata__": {"a" * 60: 1}}), "not text"),
    "tensors over each other": (
        header({n: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} for n in "ab"}),
        "overlap or leave gaps",
    ),
    "a gap": (
        header({n: {"dtype": "F32", "shape": [2], "data_offsets": [k, k + 8]} for n, k in (("a", 0), ("b", 12))}, bytes(20)),
        "overlap or leave gaps",
    ),
    "40 dimensions": (one(shape=[1] * 40 + [4]), "no whole numbers"),
    "a name twice": (
        header(
            b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
        ),
        "twice",
    ),
    "100,000 levels deep": (header(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nested too deeply"),
    "100,000 objects deep": (header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "nested too deeply"),
    "no number": (
        header(b'{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,Infinity]},"pad":"xxxxxxxxxxxxxxxxxxxxx"}'),
        "NaN",
    ),
    "digits without end": (header(b'{"w":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,16]}}'), "header"),
    "not UTF-8": (header(b'{"\xff\xfe":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"p":1234567890}'), "header"),
    "half a character": (header(b'{"\\ud800":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'), "halves of characters"),
    "not JSON": (header(b"{" + b"x" * 100), "header"),
    "a header of 99 MB": (struct.pack("<Q", 99_000_000) + b"{" + b" " * 4000, "not a safetensors file"),
    "a header longer than the file": (struct.pack("<Q", 5000) + b"{" + b" " * 400, "within its header"),
    "a header beyond any file": (struct.pack("<Q", 2**64 - 1) + b"{" + b" " * 400, "not a safetensors file"),
    "no header": (struct.pack("<Q", 0) + b"{" + bytes(100), "header"),
    "a byte too few": (SOUND[:-1], "cut short"),
    "a byte too many": (SOUND + b"x", "too long"),
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_a_safetensors_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(SAFETENSORS[name][0])
    refused(path, SAFETENSORS[name][1])
    with pytest.raises(Damaged):
        weights.read_shapes(path)


@pytest.mark.parametrize("length", [None, 0x17B, 0x220, 0x109])  # bytes of the header, which as text are "{", a space, a tab
def test_an_honest_safetensors_file(tmp_path: Path, length: int | None) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {kind: torch.ones(3).to(getattr(torch, kind)) for kind in HONEST} | {
        "none": torch.zeros(0, 4),
        "one": torch.tensor(2),
    }
    content = save(tensors, {"format": "pt"})
    if length is not None:
        content = header({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, length=length)
        content = content[:-16] + b" " * (length - len(content) + 8 + 16) + content[-16:]
        tensors = {"w": torch.zeros(4)}
    path.write_bytes(content)
    found = read(path)
    assert {name: (value.dtype, value.shape) for name, value in found.items()} == {
        n: (v.dtype, v.shape) for n, v in tensors.items()
    }


def test_a_safetensors_file_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({}, {"made by": "x" * 60}))
    refused(path, "no named tensors")


# torch


def saved(content: Any, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def archive(change: Callable[[str, bytes], tuple[str, bytes] | None], packed: bool = False, more: dict | None = None) -> bytes:
    """A sound checkpoint whose entries are changed, packed or added to."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"w": torch.zeros(64)}))) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as target,
    ):
        for name in source.namelist():
            if (kept := change(name, source.read(name))) is not None:
                target.writestr(*kept)
        for name, data in (more or {}).items():
            target.writestr(name, data)
    return buffer.getvalue()


def pickled(content: bytes) -> bytes:
    """A checkpoint with another pickle in it."""
    return archive(lambda name, data: (name, content if name.endswith("data.pkl") else data))


def tensor(
    items: int = 64, offset: int = 0, size: bytes = b"K\x40\x85", stride: bytes = b"K\x01\x85", kind: str = "Float"
) -> bytes:
    """A pickle of ``{"w": tensor}`` in the archive that :func:`archive` makes."""
    place = b"(" + text("storage") + f"ctorch\n{kind}Storage\n".encode() + text("0") + text("cpu") + long(items) + b"tQ"
    hooks = b"ccollections\nOrderedDict\n)R"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + long(offset) + size + stride + b"\x89" + hooks + b"tR"
    return pickled(b"\x80\x02}" + text("w") + made + b"s.")


class Acts:
    """Unpickled, it would make a folder."""

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(Path(__file__).with_name("harmed")),)


def same(name: str, data: bytes) -> tuple[str, bytes]:
    return name, data


QUANTISED = torch.zeros(4).to_sparse()
TORCH: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "a call of os.mkdir": (saved({"w": Acts()}), r"asks for (posix|nt)\.mkdir"),
    "a call in the older format": (saved({"w": Acts()}, old=True), r"asks for (posix|nt)\.mkdir"),
    "os.system": (pickled(b"\x80\x02cos\nsystem\n" + text("true") + b"\x85R."), "asks for os.system"),
    "a whole module": (lambda: saved(torch.nn.Linear(2, 2)), "asks for torch.nn.modules.linear.Linear"),
    "a function of torch": (pickled(b"\x80\x02ctorch\nload\n" + text("x") + b"\x85R."), "asks for torch.load"),
    "torch.hub": (pickled(b"\x80\x02ctorch.hub\nload\n" + text("x") + b"\x85R."), "asks for torch.hub.load"),
    "a file through torch": (pickled(b"\x80\x02ctorch\nfrom_file\n" + text("x") + b"\x85R."), "asks for torch.from_file"),
    "an array of numpy": (saved({"w": np.zeros(3)}), "asks for numpy"),
    "a tensor beyond its storage": (tensor(size=b"K\x41\x85"), "beyond what is stored"),
    "a view beyond its storage": (tensor(size=b"K\x02\x85", stride=b"K\x7f\x85"), "beyond what is stored"),
    "a start beyond the storage": (tensor(offset=60), "beyond what is stored"),
    "a negative start": (tensor(offset=-4), "no storage"),
    "a negative step": (tensor(stride=b"J\xff\xff\xff\xff\x85"), "a shape is none"),
    "a negative size": (tensor(size=b"J\xff\xff\xff\xff\x85"), "a shape is none"),
    "steps that overflow": (tensor(size=b"K\x02\x85", stride=long(2**62 - 1) + b"\x85"), "beyond what is stored"),
    "a step less than sizes": (tensor(size=b"K\x02K\x02\x86"), "no named|shorter|read as a checkpoint"),
    "a value stretched over terabytes": (tensor(size=long(2**40) + b"\x85", stride=b"K\x00\x85"), "beyond what is stored"),
    "a set of lists": (pickled(b"\x80\x02c__builtin__\nset\n]]a\x85R."), "a set of what is none"),
    "a set that laughs": (pickled(b"\x80\x02c__builtin__\nset\n]" + laughs(60) + b"a\x85R."), "a set of what is none"),
    "a counter that calls": (pickled(b"\x80\x02ccollections\nCounter\ncos\nsystem\n\x85R."), "asks for os.system"),
    "a storage that claims more": (tensor(items=2**33), "larger than what is stored"),
    "a storage of a wider type": (tensor(kind="Double"), "larger than what is stored"),
    "a storage of less than nothing": (tensor(items=-1), "no storage"),
    "a quantised storage": (tensor(kind="QInt8"), "asks for torch.QInt8Storage"),
    "a storage that is not there": (
        archive(lambda n, d: None if n.endswith("data/0") else (n, d)),
        "larger than what is stored",
    ),
    "a sparse tensor": (saved({"w": QUANTISED}), "asks for torch"),
    "a tensor without values": (saved({"w": torch.empty(4, device="meta")}), "asks for torch"),
    "numbers for tensors": (saved({"w": 3, "pad": "x" * 100}), "no named tensors"),
    "a list of tensors": (saved([torch.zeros(4)]), "no named tensors"),
    "a tensor alone": (saved(torch.zeros(4)), "no named tensors"),
    "names that are numbers": (saved({1: torch.zeros(4)}), "no named tensors"),
    "tensors within tensors": (saved({"a": {"b": torch.zeros(4)}}), "no named tensors"),
    "names that laugh": (pickled(b"\x80\x02}" + laughs(60) + b"Ns."), "by what is no text"),
    "a list for a state": (saved({"state_dict": [1] * 50}), "no named tensors"),
    "methods put over": (pickled(b"\x80\x02ccollections\nOrderedDict\n)R}" + text("values") + b"Nsb."), "changes what no file"),
    "items set in a tensor": (
        pickled(tensor()[tensor().index(b"\x80\x02}") : tensor().index(b"tRs.")] + b"tRK\x00K\x01ss."),
        "by what is no text|no named|is none|names",
    ),
    "100,000 lists deep": (pickled(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."), "no named|read as a checkpoint"),
    "half a million opcodes": (pickled(b"\x80\x02N" + b"\x85" * 500_000 + b"."), "longer than any"),
    "a number without bounds": (pickled(b"\x80\x02\x8b" + struct.pack("<i", 9999) + b"\x01" * 9999 + b"."), "without bounds"),
    "an empty pickle": (pickled(b""), "."),
    "no pickle": (archive(lambda n, d: None if n.endswith("data.pkl") else (n, d)), "no data.pkl"),
    "two pickles": (archive(same, more={"other/data.pkl": b"\x80\x02}."}), "2 data.pkl"),
    "a pickle of 9 MB": (pickled(b"\x80\x02" + b"N0" * 4_500_000 + b"}."), "something else"),
    "entries twice": (archive(lambda n, d: (n.replace("byteorder", "version"), d)), "twice or outside"),
    "an absolute name": (archive(same, more={"/etc/cron.d/atelier": b"x"}), "twice or outside"),
    "a name that climbs": (archive(same, more={"archive/../../x": b"x"}), "twice or outside"),
    "a packed archive": (archive(same, packed=True), "compressed"),
    "a bomb": (lambda: archive(same, packed=True, more={"archive/data/9": bytes(50_000_000)}), "compressed"),
    "a program": (archive(same, more={"archive/code/__torch__.py": b"x", "archive/constants.pkl": b"x"}), "a program"),
    "an archive of something else": (archive(lambda n, d: None, more={"readme.txt": b"x" * 100}), "no data.pkl"),
    "an archive on several disks": (
        lambda: (whole := saved({"w": torch.zeros(64)}))[: (at := whole.rindex(b"PK\x06\x07") + 4)] + b"\x07" + whole[at + 1 :],
        "no archive|cut short",
    ),
    "nothing at all": (saved({}), "no named tensors"),
    "an archive with its end cut": (saved({"w": torch.zeros(64)})[:-30], "cut short"),
    "an archive with a broken directory": (
        saved({"w": torch.zeros(64)}).replace(b"PK\x01\x02", b"PK\x01\x03", 1),
        "no archive|no data.pkl",
    ),
    "a tar archive": (lambda: tarred(), "not a torch checkpoint"),
    "the older format cut": (saved({"w": torch.zeros(6400)}, old=True)[:-4000], "cut short"),
    "the older format with a large claim": (
        saved({"w": torch.zeros(64)}, old=True).replace(b"K@Nt", b"M\xff\xffNt", 1),
        "larger than it is",
    ),
    "the older format without its tensors": (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps("x" * 90, 2),
        "older format",
    ),
    "a pickle of Python's": (pickle.dumps({"w": list(range(100))}, 2), "not a torch checkpoint"),
    "zeros": (bytes(4096), "not a torch checkpoint"),
}


def tarred() -> bytes:
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return buffer.getvalue()


@pytest.mark.parametrize("name", TORCH)
def test_a_torch_checkpoint(tmp_path: Path, name: str) -> None:
    content, words = TORCH[name]
    path = tmp_path / "a.pth"
    path.write_bytes(content() if callable(content) else content)
    refused(path, words)
    assert not Path(__file__).with_name("harmed").exists()


def test_what_an_honest_checkpoint_may_hold(tmp_path: Path) -> None:
    tied = torch.arange(12.0)
    state = OrderedDict(
        a=tied,
        b=tied[2:8].view(2, 3).T,
        scalar=torch.tensor(2),
        none=torch.zeros(0, 3),
        stretched=torch.ones(1, 3).expand(64, 3),
        parameter=torch.nn.Parameter(torch.ones(2)),
        **{
            str(d): torch.ones(3).to(d)
            for d in (torch.bfloat16, torch.bool, torch.complex64, torch.uint16, torch.float8_e4m3fn)
        },
    )
    state._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    training = {
        "optimizer": {"state": {0: {"step": torch.tensor(1)}}, "param_groups": [{"betas": (0.9, 0.99), "params": [0]}]},
        "lr_schedulers": [{"milestones": Counter([30, 60, 60]), (0, "warm-up"): 1j}],
        "hyper_parameters": {"dtype": torch.float16, "device": torch.device("cpu"), "size": tied.shape, "layers": {"a", "b"}},
        "epoch": 3,
    }
    for old in (False, True):
        path = tmp_path / "a.pth"
        if old:
            state.pop("torch.uint16"), state.pop("torch.float8_e4m3fn")
        path.write_bytes(saved({"state_dict": state, **training}, old))
        found = weights.load_state_dict(path)
        assert all(torch.equal(found[name].float(), state[name].float()) for name in state if "complex" not in name)
        assert found["b"].stride() == state["b"].stride()


@pytest.mark.parametrize(
    ("version", "words"), [("2.4.0", "2.10 or newer"), ("2.9.1+cu128", "2.10"), ("1.13.1", "pip install -U")]
)
def test_a_torch_with_known_holes_reads_no_pickles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, words: str
) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(saved({"w": torch.zeros(64)}))
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(ImportError, match=words):
        weights.load_state_dict(path)


# ONNX


def network(**external: str) -> Any:
    weight = numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    if external:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in external.items():
            weight.external_data.add(key=key, value=value)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight])
    return helper.make_model(graph)


def constant() -> bytes:
    """External data in a node's attribute, in a branch."""
    model = network()
    inner = network(location="/etc/passwd").graph
    value = helper.make_node("Constant", [], ["c"], value=inner.initializer[0])
    branch = helper.make_graph([value], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch))
    return model.SerializeToString()


def trained() -> bytes:
    """External data in the graph of ``training_info``."""
    graph = network(location="/etc/passwd").graph.SerializeToString()
    inner = b"\x0a" + varint(len(graph)) + graph
    return b"\xa2\x01" + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


WHOLE = network().SerializeToString()
ONNX: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "zeros after its end": (WHOLE + bytes(100), "longer than it was"),
    "data beside it": (network(location="w.bin").SerializeToString(), "in other files"),
    "data outside its folder": (network(location="../../../etc/passwd", offset="0").SerializeToString(), "in other files"),
    "data at an absolute place": (network(location="/etc/passwd").SerializeToString(), "in other files"),
    "data elsewhere in a branch": (constant, "in other files"),
    "data elsewhere in what it was trained from": (lambda: WHOLE + trained(), "in other files"),
    "data elsewhere in a second graph": (lambda: WHOLE + network(location="w.bin").SerializeToString()[2:], "in other files"),
    "a number that does not end": (WHOLE[:2] + b"\x10" + b"\xff" * 12 + WHOLE[2:], "not an ONNX"),
    "a number that overflows": (WHOLE[:2] + b"\x10" + b"\xff" * 9 + b"\x7f" + WHOLE[2:], "not an ONNX"),
    "a length beyond any file": (b"\x08\x08\x3a" + varint(2**63) + b"x" * 100, "cut short"),
    "a length a byte too long": (WHOLE[:-1], "cut short"),
    "a group": (b"\x08\x08\x3b" + bytes(100), "not an ONNX"),
    "an unknown wire": (b"\x08\x08\x0f" + bytes(100), "not an ONNX"),
    "no graph": (b"\x08\x08\x12" + varint(100) + b"x" * 100, "without a graph"),
    "a graph that is noise": (b"\x08\x08\x3a" + varint(100) + b"\xff" * 100, "not an ONNX"),
    "a graph in graphs without end": (lambda: b"\x08\x08" + nested(400), "nested too deeply"),
    "millions of fields": (b"\x08\x08" + b"\x08\x08" * 400_000 + WHOLE[2:], "too many parts"),
    "zeros": (bytes(500), "not an ONNX"),
}


def nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):  # a graph in an attribute of a node of a graph
        for field in (0x32, 0x2A, 0x0A):
            content = bytes([field]) + varint(len(content)) + content
    return b"\x3a" + varint(len(content)) + content


@pytest.mark.parametrize("name", ONNX)
def test_an_onnx_file(tmp_path: Path, name: str) -> None:
    content, words = ONNX[name]
    path = tmp_path / "a.onnx"
    path.write_bytes(content() if callable(content) else content)
    refused(path, words)


def test_a_sound_onnx_file_passes_with_everything_in_it(tmp_path: Path) -> None:
    onnx.save(network(), tmp_path / "a.onnx")
    assert read(tmp_path / "a.onnx") == tmp_path / "a.onnx"


# Configurations and vocabularies

TEXTS: dict[str, tuple[bytes, str]] = {
    "deep.json": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "list.json": (b'["a", "b"]', "an object"),
    "number.json": (b"3", "an object"),
    "null.json": (b"null", "an object"),
    "twice.json": (b'{"a": 1, "a": 2}', "twice"),
    "nan.json": (b'{"a": NaN}', "NaN"),
    "infinity.json": (b'{"a": -Infinity}', "Infinity"),
    "mark.json": (b'\xef\xbb\xbf{"a": 1}', "BOM"),
    "utf16.json": ('{"a": 1}'.encode("utf-16"), "is not JSON"),
    "latin1.json": ('{"a": "é"}'.encode("latin-1"), "is not JSON"),
    "half.json": (b'{"a": "\\ud83d"}', "halves of characters"),
    "digits.json": (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
    "comment.json": (b'{"a": 1} // or 2', "is not JSON"),
    "comma.json": (b'{"a": 1,}', "is not JSON"),
    "quotes.json": (b"{'a': 1}", "is not JSON"),
    "nul.json": (b'{"a": "\x00"}', "is not JSON"),
    "blank.json": (b"   \n", "is not JSON"),
    "empty.json": (b"", "is empty"),
    "html.json": (b"<!DOCTYPE html><title>404</title>", "HTML"),
    "pointer.json": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "cut.json": (b'{"a": [1, 2', "is not JSON"),
    "latin1.txt": ("naïve\n".encode("latin-1"), "is not text"),
    "utf16.txt": ("a b\n".encode("utf-16"), "is not text"),
    "empty.txt": (b"", "is empty"),
    "html.txt": (b"<html>", "HTML"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_configuration(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(TEXTS[name][0])
    refused(path, TEXTS[name][1])


def test_a_configuration_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    refused(tmp_path / "a.json", "far more than a configuration has")


CONFIGS: dict[str, tuple[dict, str]] = {
    "code of the hub": ({"_attn_implementation_internal": "me/kernel"}, "asks for code by its _attn_implementation_internal"),
    "a kernel": ({"attn_implementation": "me/kernel"}, "asks for code"),
    "a class of its own": ({"auto_map": {"AutoModel": "modeling.Mine"}}, "asks for code by its auto_map"),
    "trust": ({"trust_remote_code": True}, "asks for code"),
    "an inner one": ({"text_config": {"auto_map": {"AutoModel": "x"}}}, "asks for code"),
    "another quantiser": ({"quantization_config": {"quant_method": "x"}}, "asks for code"),
    "layers without end": ({"num_hidden_layers": 10**9}, "num_hidden_layers as 1e.09"),
    "layers in a list": ({"transformer_layers_per_block": [1, 2, 10**7]}, "as 1e.07"),
    "a width without end": ({"hidden_size": 10**12}, "hidden_size as 1e.12"),
    "a negative width": ({"hidden_size": -(10**9)}, "hidden_size as -1e.09"),
    "heads without end": ({"num_attention_heads": 10**6}, "num_attention_heads"),
    "infinity by digits": ({"layer_norm_eps": 1e308}, "layer_norm_eps"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_asks_too_much(tmp_path: Path, name: str) -> None:
    content, words = CONFIGS[name]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content))
    with pytest.raises(Damaged, match=words) as caught:
        weights.read_config(path)
    assert str(path) in str(caught.value)


INDEX = {
    "_class_name": "StableDiffusionXLPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "feature_extractor": [None, None],
    "force_zeros_for_empty_prompt": True,
}
INDEXES: dict[str, tuple[Any, str]] = {
    "a function": (INDEX | {"unet": ["os", "system"]}, r"asks for \['os', 'system'\] as its unet"),
    "a module beside it": (INDEX | {"unet": ["my_unet", "UNet"]}, "asks for"),
    "a part that SDXL has not": (INDEX | {"extra": ["antigravity", "x"]}, "as its extra"),
    "another library's scheduler": (INDEX | {"scheduler": ["subprocess", "PopenScheduler"]}, "as its scheduler"),
    "a scheduler that is none": (INDEX | {"scheduler": ["diffusers", "DiffusionPipeline"]}, "as its scheduler"),
    "half a part": (INDEX | {"vae": ["diffusers"]}, "as its vae"),
    "a part too long": (INDEX | {"vae": ["diffusers", "AutoencoderKL", "x"]}, "as its vae"),
    "a list of lists": (INDEX | {"vae": [["os"], ["system"]]}, "as its vae"),
    "another pipeline": (INDEX | {"_class_name": "FluxPipeline"}, "holds a FluxPipeline"),
    "no pipeline": ({}, "holds a None"),
    "a pipeline by a list": (INDEX | {"_class_name": ["my", "Pipeline"]}, "holds a .*my"),
    "code of its own": (INDEX | {"auto_map": {"x": "y.Z"}}, "asks for code"),
    "a list": ([INDEX], "an object"),
    "a text": ("x", "an object"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_folder_of_a_pipeline(tmp_path: Path, name: str) -> None:
    from helpers.generation import sdxl_file

    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text("{}")
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler/scheduler_config.json").write_text("{}")
    (tmp_path / "model_index.json").write_text(json.dumps(INDEX))
    sdxl_file.require_pipeline(tmp_path, "Fetch it again.")
    (tmp_path / "model_index.json").write_text(json.dumps(INDEXES[name][0]))
    with pytest.raises(ValueError, match=INDEXES[name][1]) as caught:
        sdxl_file.require_pipeline(tmp_path, "Fetch it again.")
    assert str(tmp_path) in str(caught.value)


# The manifest

ENTRY = '[net]\nsummary = "s"\nlicence = "l"\nterms = "t"\nfolder = "net"\nhub = "me/net"\nrevision = "main"\n'
MANIFESTS: dict[str, tuple[str | bytes, str]] = {
    "no toml": ("[net\n", "cannot be read"),
    "not UTF-8": (b"\xff\xfe[net]", "cannot be read"),
    "deep": ("a = " + "[" * 5000 + "]" * 5000, "cannot be read"),
    "no files": (ENTRY, "lacks 'files'"),
    "no licence": (ENTRY.replace('licence = "l"\n', "") + 'files = [{ path = "a.pth" }]', "lacks 'licence'"),
    "a number for a group": ("net = 3", "cannot be read"),
    "a climbing path": (ENTRY + 'files = [{ path = "../a.pth" }]', "no place below a folder"),
    "a climbing folder": (ENTRY.replace('"net"\nhub', '"../../net"\nhub') + 'files = [{ path = "a.pth" }]', "no place below"),
    "an absolute folder": (ENTRY.replace('"net"\nhub', '"/etc"\nhub') + 'files = [{ path = "a.pth" }]', "no place below"),
    "a climbing source": (ENTRY + 'files = [{ path = "a.pth", source = "../a.pth" }]', "no place below"),
    "a drive of Windows": (ENTRY + 'files = [{ path = "C:\\\\a.pth" }]', "no place below"),
    "an end that there is not": (ENTRY + 'files = [{ path = "a.exe" }]', "a name ends with"),
    "a file as an address": (ENTRY + 'files = [{ path = "a.pth", url = "file:///etc/passwd" }]', "no address on the web"),
    "an address with a password": (ENTRY + 'files = [{ path = "a.pth", url = "https://me:pw@x.org/a" }]', "no address"),
    "bytes as text": (ENTRY + 'files = [{ path = "a.pth", bytes = "many" }]', "bytes is a whole number"),
    "negative bytes": (ENTRY + 'files = [{ path = "a.pth", bytes = -1 }]', "bytes is a whole number"),
    "a hash that is none": (ENTRY + 'files = [{ path = "a.pth", sha256 = "beef" }]', "64 hexadecimal digits"),
    "a hash of a kind that there is not": (ENTRY + 'files = [{ path = "a.pth", hash = "sure" }]', "hash is established"),
    "files that are no tables": (ENTRY + 'files = ["a.pth"]', "cannot be read"),
    "nothing at all about where": (
        ENTRY.replace('hub = "me/net"\n', "") + 'files = [{ path = "a.pth" }]',
        "comes from nowhere",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    content, words = MANIFESTS[name]
    path = tmp_path / "manifest.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setattr(registry, "manifest", lambda: path)
    with pytest.raises(ValueError, match=words) as caught:
        weights.groups()
    assert str(path) in str(caught.value)


# What lies at a file's place

PLACES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a pipe": (os.mkfifo, "a pipe"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "a device"),
    "a link to nowhere": (lambda path: path.symlink_to(path.parent / "gone"), "a link to a file that is not there"),
    "a link to itself": (lambda path: path.symlink_to(path), "link"),
    "nothing in it": (lambda path: path.touch(), "is empty"),
    "another checkpoint": (lambda path: path.write_bytes(saved({"w": torch.zeros(64)})), "is not the published file: it has"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights in which other checkpoints are not welcome, and a cache and a hub's cache of its own."""
    (tmp_path / "weights/sam").mkdir(parents=True)
    monkeypatch.delenv("ATELIER_OTHER_WEIGHTS", raising=False)
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "weights"


@pytest.mark.parametrize("name", PLACES)
def test_what_lies_where_a_file_should(folder: Path, name: str) -> None:
    put, words = PLACES[name]
    path = folder / "sam/mobile_sam.pt"
    put(path)
    assert not weights.here("mobile_sam")
    with pytest.raises((Damaged, weights.Missing), match=rf"(?s){path}.*{words}.*weights fetch mobile_sam"):
        weights.require("mobile_sam")


FOLDERS: dict[str, tuple[str, str]] = {
    "a file": ("file", "ATELIER_WEIGHTS: .*file is not a folder"),
    "a user that there is not": ("~nobody-of-this-name/weights", "ATELIER_WEIGHTS: a folder is wanted"),
    "a newline": ("weights\n", "ATELIER_WEIGHTS: a folder is wanted"),
    "blanks": ("   ", "ATELIER_WEIGHTS: a folder is wanted.*empty"),
    "a circle": ("circle", "ATELIER_WEIGHTS: "),
    "below a file": ("file/weights", "not in .*file/weights|ATELIER_WEIGHTS"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value, words = FOLDERS[name]
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("ATELIER_WEIGHTS", value if value.startswith(("~", " ")) else f"{tmp_path}/{value}")
    with pytest.raises((ValueError, weights.Missing), match=words):
        weights.require("sam_vit_b")


@pytest.mark.parametrize("value", ["a\0b", "", "  ", "~nobody-of-this-name", None, "a\nb"])
def test_a_folder_to_use(value: Any) -> None:
    with pytest.raises(ValueError, match="weights_folder: "):
        weights.use(value)


def test_links_that_lead_back_are_followed_once(folder: Path) -> None:
    for name in range(12):
        (folder / f"again{name}").symlink_to(folder)
    (folder / "deep/models").mkdir(parents=True)
    (folder / "deep/models/sam_vit_b_01ec64.pth").write_bytes(saved({"w": torch.zeros(64)}))
    assert weights.find("sam_vit_b") == folder / "deep/models/sam_vit_b_01ec64.pth"


# The published hash

CONTENT = saved({"w": torch.zeros(64)})


@pytest.fixture
def net(folder: Path, publish: Callable[..., weights.Record]) -> Path:
    """Where the one file lies, whose published bytes are ``CONTENT``."""
    import hashlib

    known = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), "hash": "established"}
    publish({"path": "a.pth", "url": "http://localhost/a.pth", **known})
    path = folder / "net/a.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def touched(path: Path, when: os.stat_result) -> None:
    os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))


OTHER = saved({"w": torch.ones(64)})
SWAPS: dict[str, Callable[[Path], Any]] = {
    "another content": lambda path: path.write_bytes(OTHER),
    "a bit": lambda path: path.write_bytes(CONTENT.replace(bytes(256), b"\x01" + bytes(255))),
    "another size": lambda path: path.write_bytes(saved({"w": torch.zeros(99)})),
    "the time put back": lambda path: [when := path.stat(), path.write_bytes(OTHER), touched(path, when)],
    "another file in its place": lambda path: [path.with_name("b").write_bytes(OTHER), os.replace(path.with_name("b"), path)],
    "a link in its place": lambda path: [path.with_name("b").write_bytes(OTHER), path.unlink(), path.symlink_to("b")],
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_file_in_place_of_the_published_one(net: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(OTHER) == len(CONTENT)
    assert weights.require("net") == net  # and remembered
    SWAPS[name](net)
    with pytest.raises(Damaged, match=r"a.pth is not the published file: .*weights fetch net.*ATELIER_OTHER_WEIGHTS=1"):
        weights.require("net")
    monkeypatch.setenv("ATELIER_OTHER_WEIGHTS", "1")
    assert weights.require("net") == net


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "null", '{"%s": 3}', '{"%s": [1, 2, 3, 4, "x"]}', "[" * 100_000, "\udcff", '{"%s": [null]}']
)
def test_a_damaged_memory_of_hashes_is_none(net: Path, tmp_path: Path, note: str) -> None:
    notes = tmp_path / "cache/digests.json"
    notes.parent.mkdir()
    notes.write_bytes(note.replace("%s", str(net)).encode(errors="surrogateescape"))
    assert weights.require("net") == net
    net.write_bytes(OTHER)
    with pytest.raises(Damaged, match="sha256"):
        weights.require("net")


def test_a_hash_is_computed_once(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.weights import digests

    counted: list[Path] = []
    count = digests.sha256
    monkeypatch.setattr(digests, "sha256", lambda path, *rest: counted.append(path) or count(path, *rest))
    for _ in range(3):
        assert weights.require("net") == net
    assert counted == [net]
    (tmp_path / "cache/digests.json").unlink()
    (tmp_path / "cache/digests.json").mkdir()  # where nothing can be remembered it is computed each time
    assert weights.require("net") == net
    assert weights.require("net") == net
    assert len(counted) == 3
