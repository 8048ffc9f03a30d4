"""Pickles of arrays and tensors, followed opcode by opcode without running anything that they name.

``arrays`` rebuilds numpy's arrays from their bytes, by stand-ins for what numpy's pickles call: numeric kinds only, and whatever flags a
file gives a dtype are passed over. ``survey`` looks at a torch checkpoint before torch does: it holds plain tensors within what is stored,
and asks for nothing else. Of the language of pickles only what such files are written in is understood.
"""

from __future__ import annotations

import io
import mmap
import pickletools
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

_MOST = 300_000  # opcodes; the published files have some 30 a tensor, and at most 2,500 tensors
_LONGEST = 128  # bits of a number; torch's magic number has 80
_DIMENSIONS = 32
_STRETCHED = 1 << 28  # bytes that the values of a checkpoint may have beyond what is stored of them
_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|c8|c16)")
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")
_BYTES = ("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8")
_VALUES = frozenset(("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", *_TEXTS, *_BYTES))
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}
_ITEM = {"Bool": 1, "Byte": 1, "Char": 1, "Untyped": 1, "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4, "Float": 4, "Long": 8}
_ITEM |= {"Double": 8, "ComplexFloat": 8, "ComplexDouble": 16}
"""Bytes of an element in torch's storages, by the name before ``Storage``."""


class Refused(ValueError):
    """Why a pickle is not followed, as a clause."""


@dataclass(frozen=True)
class _Name:
    """A function or class that is asked for; it is never looked up."""

    text: str


@dataclass
class _Type:
    """A dtype: its code, and the order of bytes that the file states afterwards."""

    code: str
    order: str = "="

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.code).newbyteorder(self.order)  # type: ignore[arg-type]


@dataclass(eq=False)
class _Array:
    """An array that gets its content after it was made."""

    value: np.ndarray | None = None


@dataclass(frozen=True)
class _Storage:
    key: str
    items: int
    item: int


@dataclass(frozen=True)
class _Tensor:
    """Stands for a tensor that lies where it should."""


class _Reader:
    """Follows pickles of one file. What is called, built and referred to is the dialect's affair."""

    def __init__(self, data: mmap.mmap | io.BytesIO) -> None:
        self.data = data
        self.left = _MOST

    def call(self, name: str, arguments: tuple) -> Any:
        """What ``name(*arguments)`` stands for."""
        if name == "collections.OrderedDict":
            (pairs,) = arguments or ([],)
            made: dict = {}
            for key, value in pairs:
                _put(made, key, value)
            return made
        if name == "_codecs.encode" and arguments[1:] in (("latin1",), ("latin-1",)):
            return _raw(arguments[0])
        if name in ("builtins.bytes", "__builtin__.bytes") and not arguments:
            return b""
        raise Refused(f"it asks for {name}")

    def build(self, made: Any, state: Any) -> None:
        """Give ``made`` its ``state``."""
        if not (isinstance(made, dict) and isinstance(state, dict) and state.keys() <= {"_metadata"}):  # torch's, of modules
            raise Refused("it changes what no file of arrays changes")

    def refer(self, place: Any) -> Any:
        """What lies outside the pickle at ``place``."""
        raise Refused("it refers to something outside")

    def admits(self, name: str) -> bool:
        """Whether a file of this dialect may ask for ``name``."""
        return name in ("collections.OrderedDict", "_codecs.encode", "builtins.bytes", "__builtin__.bytes")

    def follow(self) -> Any:
        """The value of the pickle at the reader's place, which is behind it afterwards. Raises ``Refused``."""
        try:
            return self._follow()
        except Refused:
            raise
        except MemoryError:
            raise Refused("it claims more than there is memory") from None
        except UnicodeError:
            raise Refused("it holds characters that no such file does") from None
        except ValueError as error:  # pickletools says where and what
            raise Refused((str(error).splitlines() or ["it is not well-formed"])[0][:120]) from None
        except Exception:  # of stacks that are too short, of arguments that are none
            raise Refused("it is not well-formed") from None

    def _follow(self) -> Any:
        stack: list[Any] = []
        below: list[list[Any]] = []
        memo: dict[int, Any] = {}
        argument: Any
        for opcode, argument, _ in pickletools.genops(self.data):  # type: ignore[arg-type]
            self.left -= 1
            if self.left < 0:
                raise Refused("it is longer than any file of arrays")
            kind = opcode.name
            if kind in _VALUES:
                if isinstance(argument, int) and argument.bit_length() > _LONGEST:
                    raise Refused("it holds a number without bounds")
                stack.append(argument)
            elif kind in _CONSTANTS:
                stack.append(_CONSTANTS[kind])
            elif kind in _EMPTY:
                stack.append(_EMPTY[kind]())
            elif kind in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
                memo[len(memo) if argument is None else argument] = stack[-1]
            elif kind in ("BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif kind == "MARK":
                below.append(stack)
                stack = []
            elif kind in _TUPLES:
                stack[-_TUPLES[kind] :] = [tuple(_last(stack, _TUPLES[kind]))]
            elif kind in ("TUPLE", "LIST", "DICT", "APPENDS", "SETITEMS"):
                items, stack = stack, below.pop()
                self._gather(kind, items, stack)
            elif kind == "APPEND":
                item = stack.pop()
                _list(stack[-1]).append(item)
            elif kind == "SETITEM":
                key, value = _last(stack, 2)
                del stack[-2:]
                _put(stack[-1], key, value)
            elif kind == "GLOBAL":
                stack.append(self._named(argument.replace(" ", ".", 1)))
            elif kind == "STACK_GLOBAL":
                module, name = _last(stack, 2)
                if not (isinstance(module, str) and isinstance(name, str)):
                    raise Refused("it asks for something without a name")
                stack[-2:] = [self._named(f"{module}.{name}")]
            elif kind == "REDUCE":
                what, arguments = _last(stack, 2)
                if not (isinstance(what, _Name) and isinstance(arguments, tuple)):
                    raise Refused("it calls what is no function")
                stack[-2:] = [self.call(what.text, arguments)]
            elif kind == "BUILD":
                state = stack.pop()
                self.build(stack[-1], state)
            elif kind == "BINPERSID":
                stack.append(self.refer(stack.pop()))
            elif kind == "STOP":
                return stack.pop()
            elif kind not in ("PROTO", "FRAME"):
                raise Refused(f"it uses {kind}, which no file of arrays does")
        raise Refused("it does not end")

    def _named(self, name: str) -> _Name:
        if not self.admits(name):
            raise Refused(f"it asks for {name[:80]}")
        return _Name(name)

    @staticmethod
    def _gather(kind: str, items: list, stack: list) -> None:
        if kind == "TUPLE":
            stack.append(tuple(items))
        elif kind == "LIST":
            stack.append(items)
        elif kind == "APPENDS":
            _list(stack[-1]).extend(items)
        else:
            if kind == "DICT":
                stack.append({})
            for key, value in zip(items[::2], items[1::2], strict=True):
                _put(stack[-1], key, value)


def _last(stack: list, number: int) -> list:
    if len(stack) < number:
        raise Refused("it is not well-formed")
    return stack[-number:]


def _list(value: Any) -> list:
    if not isinstance(value, list):
        raise Refused("it adds to what is no list")
    return value


def _put(table: Any, key: Any, value: Any) -> None:
    if not isinstance(table, dict) or not _names(key):
        raise Refused("it names something by what is no text")
    if isinstance(key, str):
        key.encode()  # halves of characters cannot be written again
    if key in table:
        raise Refused(f"it holds {str(key)[:80]!r} twice")
    table[key] = value


def _names(key: Any) -> bool:
    """Whether something can be called ``key``. Tuples of tuples cannot: they take for ever to be hashed."""
    parts = key if isinstance(key, tuple) and len(key) <= _DIMENSIONS else (key,)
    return all(part is None or isinstance(part, str | int | float | bytes) for part in parts)


def _raw(value: Any) -> bytes:
    """Bytes; Python 2's came as text, a character a byte."""
    if not isinstance(value, str | bytes | bytearray):
        raise Refused("an array has something else than bytes")
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > _DIMENSIONS or not all(type(n) is int and 0 <= n < 1 << 62 for n in value):
        raise Refused("a shape is none")
    return value


class _NumPy(_Reader):
    """numpy's arrays and scalars, of Python 2's pickles as of today's."""

    _MADE_BY = re.compile(r"numpy\._?core\.(?:multiarray\.(_reconstruct|scalar)|numeric\.(_frombuffer))")

    def __init__(self, data: mmap.mmap) -> None:
        super().__init__(data)
        self.room = len(data)

    def admits(self, name: str) -> bool:
        return name in ("numpy.dtype", "numpy.ndarray") or bool(self._MADE_BY.fullmatch(name)) or super().admits(name)

    def call(self, name: str, arguments: tuple) -> Any:
        if name == "numpy.dtype":
            code = arguments[0]
            if not isinstance(code, str) or not _TYPE.fullmatch(code):
                raise Refused(f"it holds values of type {str(code)[:20]!r}, and numbers are wanted")
            return _Type(code)
        made = self._MADE_BY.fullmatch(name)
        if made is None:
            return super().call(name, arguments)
        if made[1] == "_reconstruct":
            if arguments[0] != _Name("numpy.ndarray"):
                raise Refused("it makes an array of something else")
            return _Array()
        if made[1] == "scalar":
            return self._filled(arguments[0], (), arguments[1], False)
        data, kind, shape, order = arguments
        return self._filled(kind, shape, data, order == "F")

    def build(self, made: Any, state: Any) -> None:
        if isinstance(made, _Type):
            _, order, *structure = state[:5]
            if order not in ("<", ">", "=", "|") or any(part is not None for part in structure):
                raise Refused("it holds structures, and numbers are wanted")
            made.order = order
        elif isinstance(made, _Array):
            if made.value is not None:
                raise Refused("it fills an array twice")
            shape, kind, columns, data = state[-4:]
            made.value = self._filled(kind, shape, data, columns is True or columns == 1)
        else:
            super().build(made, state)

    def _filled(self, kind: Any, shape: Any, data: Any, columns: bool) -> np.ndarray:
        if not isinstance(kind, _Type):
            raise Refused("an array has no type")
        dtype, raw, shape = kind.dtype, _raw(data), _sizes(shape)
        if len(raw) != prod(shape) * dtype.itemsize:
            raise Refused(f"an array of shape {shape} has {len(raw)} bytes")
        self.room -= len(raw)
        if self.room < 0:
            raise Refused("its arrays are larger than it is")
        if not raw:
            return np.zeros(shape, dtype.newbyteorder("="))
        values = np.frombuffer(raw, np.uint8 if dtype.kind == "b" else dtype).reshape(shape, order="F" if columns else "C")
        return values.astype(dtype.newbyteorder("="))  # a copy, which may be written to; any byte but 0 is True


def arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays by name in the pickle ``path``, or in what it calls ``model``. Raises ``Refused``."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        content = _NumPy(data).follow()
    model = content.get("model", content) if isinstance(content, dict) else None
    if not isinstance(model, dict) or not model:
        raise Refused("it holds no named arrays")
    found: dict[str, Any] = {key: value.value if isinstance(value, _Array) else value for key, value in model.items()}
    if not all(isinstance(key, str) and isinstance(value, np.ndarray) for key, value in found.items()):
        raise Refused("it holds no named arrays, or something else among them")
    return found


class _Torch(_Reader):
    """torch's tensors. stored: bytes of the storages by key, where an archive says so."""

    _REBUILD = re.compile(r"torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter)")
    _KIND = re.compile(r"torch\.(?:storage\.)?(\w+)Storage")
    _WORD = re.compile(r"torch\.(?:Size|(?:u?int|float|bfloat|complex)\d\w*|bool)")
    _BESIDE = re.compile(r"collections\.Counter|torch\.device|(?:builtins|__builtin__)\.(?:set|complex)")
    """What lies beside the tensors, in the state of a training."""

    def __init__(self, data: mmap.mmap | io.BytesIO, stored: Mapping[str, int] | None = None) -> None:
        super().__init__(data)
        self.stored = stored
        self.claimed: dict[str, int] = {}
        self.stretched = 0

    def admits(self, name: str) -> bool:
        kind = self._KIND.fullmatch(name)
        known = self._REBUILD.fullmatch(name) or self._WORD.fullmatch(name) or self._BESIDE.fullmatch(name)
        return bool(known) or (kind is not None and kind[1] in _ITEM) or super().admits(name)

    def refer(self, place: Any) -> _Storage:
        what, kind, key, _, items, *view = place
        if what != "storage" or not isinstance(kind, _Name) or not isinstance(key, str) or type(items) is not int or items < 0:
            raise Refused("it refers to something that is no storage")
        found = self._KIND.fullmatch(kind.text)
        if found is None or any(view):
            raise Refused("it refers to something that is no storage")
        storage = _Storage(key, items, _ITEM[found[1]])
        whole = items * storage.item
        if self.claimed.setdefault(key, whole) != whole:
            raise Refused("a storage has two sizes")
        if self.stored is not None and whole > self.stored.get(key, -1):
            raise Refused("a storage is larger than what is stored")
        return storage

    def call(self, name: str, arguments: tuple) -> Any:
        if name == "torch.Size":
            return _sizes(tuple(arguments[0]))
        if self._BESIDE.fullmatch(name):
            listed = (argument if isinstance(argument, list | dict) else [argument] for argument in arguments)
            if not all(_names(part) for parts in listed for part in parts):
                raise Refused(f"it makes a {name.rpartition('.')[2]} of what is none")
            return None
        made = self._REBUILD.fullmatch(name)
        if made is None:
            return super().call(name, arguments)
        if made[1] == "parameter":
            if not isinstance(arguments[0], _Tensor):
                raise Refused("it holds a parameter without a tensor")
            return arguments[0]
        storage, offset, size, stride, *rest = arguments
        if not isinstance(storage, _Storage) or type(offset) is not int or offset < 0:
            raise Refused("a tensor has no storage")
        room = storage.items * storage.item
        if made[1] == "tensor_v3":
            item = _width(rest[2])
        else:
            item = storage.item
        size, stride = _sizes(size), _sizes(stride)
        reach = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1 if prod(size) else 0
        self.stretched += max(prod(size) * item - room, 0)  # steps of 0, of one value seen many times
        if reach * item > room or self.stretched > _STRETCHED:
            raise Refused("a tensor reaches beyond what is stored")
        return _Tensor()


def _width(dtype: Any) -> int:
    """Bytes of a value of torch's ``dtype``, by the digits in its name."""
    bits = re.search(r"\d+", dtype.text)
    return int(bits[0]) // 8 if bits else 1


def survey(path: Path) -> None:
    """Follow the pickles of a torch checkpoint. Raises ``Refused`` where they ask for anything but plain tensors within the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] == b"PK\x03\x04":
            _survey_archive(path)
            return
        reader = _Torch(data)
        magic, protocol = reader.follow(), reader.follow()
        if magic != 0x1950A86A20F9469CFC6C or protocol != 1001:
            raise Refused("it is not a checkpoint of torch's older format")
        reader.follow()  # the machine that wrote it
        reader.follow()
        keys = reader.follow()
        if not isinstance(keys, list) or set(map(str, keys)) != set(reader.claimed):
            raise Refused("its storages are not those that its tensors use")
        if sum(reader.claimed.values()) + 8 * len(keys) > len(data) - data.tell():
            raise Refused("its storages are larger than it is, or it is cut short")


def _survey_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        stored = {entry.filename.partition("/")[2].removeprefix("data/"): entry.file_size for entry in archive.infolist()}
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        content = archive.read(name)
    _Torch(io.BytesIO(content), stored).follow()
