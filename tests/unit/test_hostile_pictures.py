"""Pictures that are easily misread, and what is no picture: each is a line of a table, with what has to come out.

``SHOWN`` holds files and what a viewer shows of them, by arithmetic of their own; ``MASKS`` what is meant by a mask; ``REFUSED`` what is
turned away, and the words; ``ARRAYS`` and ``MASK_ARRAYS`` what is given where an array is wanted.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from helpers import Garment, Person, checks, images, load_garment, load_person, product, reading, segment
from helpers.reading import read_alpha, read_image, read_mask, read_rgba, read_values
from helpers.tryon.drape import engine as drape
from helpers.tryon.result import TryOn

H, W = 72, 96
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (H, W, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(np.linspace(0, 255, W)[None], np.linspace(255, 0, H)[:, None], 90.0), 2).astype(np.uint8)
GREY = NOISE[..., 0]
GREY16 = RNG.integers(0, 65536, (H, W)).astype(np.uint16)
HALF = np.zeros((H, W), bool)
HALF[10:50, 20:70] = True
ALPHA = np.where(HALF, 255, RNG.integers(0, 256, (H, W))).astype(np.uint8)


# ------------------------------------------------------------------------------------------------- files written by hand


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    values: np.ndarray, bits: int = 8, colour: int | None = None, *chunks: tuple[bytes, bytes], size=None, woven: bool = False
) -> bytes:
    """A PNG of samples (H, W[, C]): of 1 to 16 bits, grey 0, RGB 2, indices 3, grey and alpha 4, RGBA 6."""
    height, width = values.shape[:2]
    channels = values.reshape(height, width, -1).shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour is None else colour
    passes = (
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        if woven
        else [(0, 0, 1, 1)]
    )
    data = b""
    for top, left, down, right in passes:
        part = values[top::down, left::right]
        flat = part.reshape(len(part), -1)
        if bits < 8:
            shifts = np.arange(bits - 1, -1, -1)
            flat = np.packbits(((flat[..., None] >> shifts) & 1).astype(np.uint8).reshape(len(part), -1), axis=1)
        data += b"".join(b"\0" + row.tobytes() for row in flat.astype(">u2" if bits == 16 else np.uint8))
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", *(size or (width, height)), bits, colour, 0, 0, woven))
    middle = b"".join(_chunk(*chunk) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + middle + _chunk(b"IDAT", zlib.compress(data)) + _chunk(b"IEND", b"")


def tiff(values: np.ndarray, photometric: int, *, bits: int = 0, order: str = "<", planar: bool = False, **tags: int) -> bytes:
    """An uncompressed TIFF of samples (H, W[, C]) of their own dtype; ``bits`` under 8 are packed."""
    height, width = values.shape[:2]
    channels = values.reshape(height, width, -1).shape[2]
    kind = values.dtype.newbyteorder(order)
    flat = np.moveaxis(values.reshape(height, width, -1), 2, 0) if planar else values
    data = np.packbits(values.astype(bool), axis=1).tobytes() if bits == 1 else flat.astype(kind).tobytes()
    sample = {"u": 1, "i": 2, "f": 3}[values.dtype.kind if bits != 1 else "u"]
    bits = bits or values.dtype.itemsize * 8
    plane, strips = len(data) // channels, channels if planar else 1
    entries: dict[int, list[int]] = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric], 277: [channels], 278: [height],
        284: [2 if planar else 1], 339: [sample] * channels, 279: [plane if planar else len(data)] * strips, 273: [0] * strips,
    }  # fmt: skip
    entries |= {int(number.removeprefix("t")): [value] for number, value in tags.items()}
    count = len(entries)
    spare = 8 + 2 + 12 * count + 4
    starts, blob = spare, b""
    sizes = {tag: len(v) * (4 if tag in (273, 279, 256, 257, 278) else 2) for tag, v in entries.items()}
    extra = sum(size for size in sizes.values() if size > 4)
    entries[273] = [spare + extra + n * plane for n in range(strips)]
    body = b""
    for tag in sorted(entries):
        long = tag in (273, 279, 256, 257, 278)
        packed = struct.pack(f"{order}{len(entries[tag])}{'I' if long else 'H'}", *entries[tag])
        if len(packed) > 4:
            place, blob = struct.pack(f"{order}I", starts + len(blob)), blob + packed
        else:
            place = packed.ljust(4, b"\0")
        body += struct.pack(f"{order}HHI", tag, 4 if long else 3, len(entries[tag])) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", count) + body + b"\0" * 4 + blob + data


def bmp(
    data: bytes, bits: int, packing: int = 0, *, height: int = H, masks: bytes = b"", palette: np.ndarray | None = None
) -> bytes:
    """A BMP of packed rows, the lowest first unless ``height`` is negative; with ``masks`` of its channels in a long header."""
    colours = b"" if palette is None else np.dstack([palette[None, :, ::-1], palette[None, :, :1] * 0]).tobytes()
    long = 108 if masks else 40
    head = struct.pack("<IiiHHIIiiII", long, W, height, 1, bits, packing, len(data), 2835, 2835, len(colours) // 4, 0)
    head += masks.ljust(long - 40, b"\0") + colours
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(data), 0, 0, 14 + len(head)) + head + data


def saved(picture: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(out, kind, **options)
    return out.getvalue()


def indexed(index: np.ndarray, palette: np.ndarray) -> Image.Image:
    picture = Image.fromarray(index.astype(np.uint8))
    picture.putpalette(palette.astype(np.uint8).ravel().tolist())
    return picture


# ------------------------------------------------------------------------------------------------ what is to be shown


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[..., None], 3, 2)


def on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    a = alpha[..., None] / 255.0
    return np.rint(rgb * a + 255 * (1 - a)).astype(np.uint8)


def bent(picture: np.ndarray, power: float) -> np.ndarray:
    return np.rint(255 * (picture / 255.0) ** power).astype(np.uint8)


PALETTE = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
OPACITY = RNG.integers(0, 256, 256, dtype=np.uint8)
FEW = {bits: RNG.integers(0, 2**bits, (H, W)) for bits in (1, 2, 4, 8)}
KEY16 = GREY16.copy()
KEY16[:20] = 12345
KEYED = NOISE.copy()
KEYED[:20] = (7, 200, 91)
KEYED16 = np.random.default_rng(1).integers(0, 65536, (H, W, 3)).astype(np.uint16)
KEYED16[:20] = (1000, 40000, 65535)
FRACTIONS = RNG.random((H, W)).astype(np.float32)
NAN = FRACTIONS.copy()
NAN[:5], NAN[5:9], NAN[9:12] = np.nan, np.inf, -np.inf
HDR = FRACTIONS.copy()
HDR[0, :9] = 37.5
CMYK = RNG.integers(0, 256, (H, W, 4), dtype=np.uint8)
NAKED = np.rint((255 - CMYK[..., :3].astype(float)) * (255 - CMYK[..., 3:].astype(float)) / 255)
BGRA = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
FIVE = ((NOISE >> 3).astype(np.uint16) * (1024, 32, 1)).sum(2)
RUNS = b"".join(b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in FEW[8][::-1].tolist()) + b"\0\1"
ON_BLACK = np.rint(NOISE * (ALPHA[..., None] / 255.0)).astype(np.uint8)


def _trns(*values: int) -> tuple[bytes, bytes]:
    return b"tRNS", struct.pack(f">{len(values)}H", *values)


def _profile(linear: bool = False, matrix: np.ndarray | None = None, *, one: bool = False) -> bytes:
    """An ICC profile by hand: matrix and one gamma, 2.2 or 1; ``one``: for grey pictures."""
    columns = matrix if matrix is not None else DISPLAY_P3
    fixed = lambda numbers: b"".join(struct.pack(">i", round(n * 65536)) for n in numbers)  # noqa: E731
    curve = b"curv\0\0\0\0" + (struct.pack(">I", 0) if linear else struct.pack(">IH", 1, round(2.2 * 256)))
    curve += b"\0" * (-len(curve) % 4)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"mine\0" + b"\0" * 79
    tags = {b"desc": text, b"wtpt": b"XYZ \0\0\0\0" + fixed((0.9642, 1.0, 0.8249))}
    for name, column in zip(b"rgb", columns.T, strict=True):
        tags[bytes([name]) + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(column)
        tags[bytes([name]) + b"TRC"] = curve
    if one:
        tags = {b"desc": text, b"wtpt": tags[b"wtpt"], b"kTRC": curve}
    body, table = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"GRAY" if one else b"RGB ", b"XYZ ") + struct.pack(
        ">6H", 2024, 1, 1, 0, 0, 0
    )
    head += b"acsp" + b"\0" * 24 + struct.pack(">I", 0) + fixed((0.9642, 1.0, 0.8249)) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


DISPLAY_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])  # D50
ADOBE = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
PROPHOTO = np.array([[0.7977, 0.1352, 0.0313], [0.2880, 0.7119, 0.0001], [0.0, 0.0, 0.8249]])
SRGB_D50 = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])


def by_matrix(picture: np.ndarray, columns: np.ndarray, gamma: float) -> np.ndarray:
    linear = (picture / 255.0) ** gamma @ (np.linalg.inv(SRGB_D50) @ columns).T
    linear = np.clip(linear, 0, 1)
    return np.rint(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)).astype(np.uint8)


def _oriented(number, mirrored: Callable[[np.ndarray], np.ndarray], kind: str = "PNG") -> tuple:
    exif = Image.Exif()
    exif[0x0112] = number
    return lambda: saved(NOISE, kind, exif=exif.tobytes()), mirrored(NOISE), 0


def _ycbcr(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("YCbCr"))


def _frames(kind: str, **options) -> bytes:
    first, second = Image.fromarray(SMOOTH), Image.fromarray(255 - SMOOTH)
    return saved(first, kind, save_all=True, append_images=[second], **options)


def _framed_gif() -> bytes:
    raw = bytearray(saved(indexed(FEW[2], PALETTE[:4]), "GIF"))
    raw[6:10] = struct.pack("<HH", W + 30, H + 20)
    place = raw.index(b"\x2c")
    raw[place + 1 : place + 5] = struct.pack("<HH", 10, 5)
    return bytes(raw)


def _framed_white() -> np.ndarray:
    out = np.full((H + 20, W + 30, 3), 255, np.uint8)
    out[5 : 5 + H, 10 : 10 + W] = PALETTE[FEW[2]]
    return out


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CHRM_P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SHOWN: dict[str, tuple[Callable[[], bytes], np.ndarray, float]] = {
    **{f"png grey {b}": (lambda b=b: png(FEW[b], b), grey(FEW[b] * 255 / (2**b - 1)), 0) for b in FEW},
    **{
        f"png palette {b}": (lambda b=b: png(FEW[b], b, 3, (b"PLTE", PALETTE[: 2**b].tobytes())), PALETTE[FEW[b]], 0)
        for b in FEW
    },
    **{
        f"png palette {b} with opacity": (
            lambda b=b: png(FEW[b], b, 3, (b"PLTE", PALETTE[: 2**b].tobytes()), (b"tRNS", OPACITY[: 2**b].tobytes())),
            on_white(PALETTE[FEW[b]], OPACITY[FEW[b]]),
            1,
        )
        for b in FEW
    },
    **{
        f"png grey {b}, one transparent": (
            lambda b=b: png(FEW[b], b, 0, _trns(1)),
            grey(np.where(FEW[b] == 1, 255, FEW[b] * 255 / (2**b - 1))),
            0,
        )
        for b in FEW
    },
    "png grey 16": (lambda: png(GREY16, 16), grey(GREY16 / 257), 0),
    "png grey 16, nearly black": (lambda: png(GREY16 // 256, 16), grey(GREY16 // 256 / 257), 0),
    "png grey 16, all black but one": (
        lambda: png((GREY16[0, 0] == GREY16) * 65535, 16),
        grey((GREY16[0, 0] == GREY16) * 255),
        0,
    ),
    "png grey 16, one transparent": (
        lambda: png(KEY16, 16, 0, _trns(12345)),
        grey(np.where(KEY16 == 12345, 255, KEY16 / 257)),
        0,
    ),
    "png grey 16, black transparent": (
        lambda: png(np.where(HALF, GREY16 | 1, 0), 16, 0, _trns(0)),
        grey(np.where(HALF, (GREY16 | 1) / 257, 255)),
        0,
    ),
    "png grey 16, a transparent one that is not there": (lambda: png(GREY16 | 1, 16, 0, _trns(2)), grey((GREY16 | 1) / 257), 0),
    "png grey and opacity": (lambda: png(np.dstack([GREY, ALPHA])), on_white(grey(GREY), ALPHA), 1),
    "png grey and opacity 16": (
        lambda: png(np.dstack([GREY16, ALPHA.astype(np.uint16) * 257]), 16),
        on_white(grey(GREY16 / 257), ALPHA),
        2,
    ),
    "png rgb": (lambda: png(NOISE), NOISE, 0),
    "png rgb 16": (lambda: png(KEYED16, 16), np.rint(KEYED16 / 257), 1),
    "png rgb, one transparent": (
        lambda: png(KEYED, 8, 2, _trns(7, 200, 91)),
        np.where((KEYED == (7, 200, 91)).all(2, keepdims=True), 255, KEYED),
        0,
    ),
    "png rgb 16, one transparent": (
        lambda: png(KEYED16, 16, 2, _trns(1000, 40000, 65535)),
        np.where((KEYED16 == (1000, 40000, 65535)).all(2, keepdims=True), 255, KEYED16 / 257),
        1,
    ),
    "png rgb 16, all but one transparent of those that 8 bits take for it": (
        lambda: png(np.broadcast_to(np.where(HALF, 0, 9)[..., None], (H, W, 3)).astype(np.uint16), 16, 2, _trns(0, 0, 0)),
        np.broadcast_to(np.where(HALF, 255, 0)[..., None], (H, W, 3)),
        0,
    ),
    "png rgba": (lambda: png(np.dstack([NOISE, ALPHA])), on_white(NOISE, ALPHA), 1),
    "png rgba 16": (lambda: png(np.dstack([NOISE, ALPHA]).astype(np.uint16) * 257, 16), on_white(NOISE, ALPHA), 1),
    "png all transparent": (lambda: png(np.dstack([NOISE, ALPHA * 0])), NOISE * 0 + 255, 0),
    "png of several frames": (lambda: _frames("PNG"), SMOOTH, 0),
    "png gamma of a screen": (lambda: png(NOISE, 8, 2, (b"gAMA", struct.pack(">I", 45455))), NOISE, 0),
    "png linear": (lambda: png(NOISE, 8, 2, (b"gAMA", struct.pack(">I", 100000))), bent(NOISE, 1 / 2.2), 1),
    "png gamma of an old Macintosh": (lambda: png(NOISE, 8, 2, (b"gAMA", struct.pack(">I", 55556))), bent(NOISE, 1.8 / 2.2), 1),
    "png gamma 0": (lambda: png(NOISE, 8, 2, (b"gAMA", struct.pack(">I", 0))), NOISE, 0),
    "png sRGB before gamma": (lambda: png(NOISE, 8, 2, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))), NOISE, 0),
    "png grey linear": (lambda: png(GREY, 8, 0, (b"gAMA", struct.pack(">I", 100000))), grey(bent(GREY, 1 / 2.2)), 1),
    "png primaries of sRGB": (
        lambda: png(NOISE, 8, 2, (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))),
        NOISE,
        0,
    ),
    "png primaries of Display P3": (
        lambda: png(SMOOTH, 8, 2, (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", CHRM_P3)),
        by_matrix(SMOOTH, DISPLAY_P3, 2.2),
        9,
    ),
    "png primaries on one line": (lambda: png(NOISE, 8, 2, (b"cHRM", struct.pack(">8I", *[30000] * 8))), NOISE, 0),
    "png sRGB profile": (lambda: saved(NOISE, "PNG", icc_profile=SRGB), NOISE, 0),
    "png Display P3": (lambda: saved(SMOOTH, "PNG", icc_profile=_profile()), by_matrix(SMOOTH, DISPLAY_P3, 2.2), 3),
    "png Adobe RGB": (lambda: saved(SMOOTH, "PNG", icc_profile=_profile(matrix=ADOBE)), by_matrix(SMOOTH, ADOBE, 2.2), 3),
    "png ProPhoto": (lambda: saved(SMOOTH, "PNG", icc_profile=_profile(matrix=PROPHOTO)), by_matrix(SMOOTH, PROPHOTO, 2.2), 4),
    "png linear profile": (
        lambda: saved(SMOOTH, "PNG", icc_profile=_profile(True, SRGB_D50)),
        by_matrix(SMOOTH, SRGB_D50, 1.0),
        3,
    ),
    "png profile and opacity": (
        lambda: saved(np.dstack([SMOOTH, ALPHA]), "PNG", icc_profile=_profile(matrix=ADOBE)),
        on_white(by_matrix(SMOOTH, ADOBE, 2.2), ALPHA),
        3,
    ),
    "png palette and profile": (
        lambda: saved(indexed(FEW[8], PALETTE), "PNG", icc_profile=_profile(matrix=ADOBE)),
        by_matrix(PALETTE[FEW[8]], ADOBE, 2.2),
        4,
    ),
    "png broken profile": (lambda: saved(NOISE, "PNG", icc_profile=b"no profile" * 20), NOISE, 0),
    "png cut profile": (lambda: saved(NOISE, "PNG", icc_profile=_profile()[:200]), NOISE, 0),
    "png profile of another colour space": (lambda: saved(GREY, "PNG", icc_profile=_profile()), grey(GREY), 0),
    "png interlaced": (lambda: png(NOISE, woven=True), NOISE, 0),
    "png grey 16 interlaced, nearly black": (lambda: png(GREY16 // 256, 16, woven=True), grey(GREY16 // 256 / 257), 0),
    "png grey profile": (
        lambda: saved(GREY, "PNG", icc_profile=_profile(True, one=True)),
        by_matrix(grey(GREY), SRGB_D50, 1.0),
        12,
    ),
    "png text beside": (lambda: png(NOISE, 8, 2, (b"tEXt", b"Title\0" + b"x" * 9999)), NOISE, 0),
    "png with rubbish behind": (lambda: png(NOISE) + b"\0rubbish" * 999, NOISE, 0),
    "png named jpg": (lambda: png(NOISE), NOISE, 0),
    "jpeg": (lambda: saved(SMOOTH, "JPEG", quality=97, subsampling=0), SMOOTH, 6),
    "jpeg progressive": (lambda: saved(SMOOTH, "JPEG", quality=97, subsampling=0, progressive=True), SMOOTH, 6),
    "jpeg grey": (lambda: saved(SMOOTH[..., 0], "JPEG", quality=97), grey(SMOOTH[..., 0]), 4),
    "jpeg with rubbish behind": (lambda: saved(SMOOTH, "JPEG", quality=97, subsampling=0) + b"\xff\xd8\xff" * 99, SMOOTH, 6),
    "jpeg with a second picture, as phones have": (lambda: _frames("MPO", quality=97, subsampling=0), SMOOTH, 6),
    "jpeg cmyk": (
        lambda: saved(Image.fromarray(np.dstack([255 - SMOOTH, SMOOTH[..., 0] * 0]), "CMYK"), "JPEG", quality=99),
        SMOOTH,
        9,
    ),
    "jpeg Display P3": (
        lambda: saved(SMOOTH, "JPEG", quality=99, subsampling=0, icc_profile=_profile()),
        by_matrix(SMOOTH, DISPLAY_P3, 2.2),
        16,
    ),
    "jpeg broken exif": (
        lambda: saved(SMOOTH, "JPEG", quality=97, subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        SMOOTH,
        6,
    ),
    "jpeg exif of rubbish": (lambda: saved(SMOOTH, "JPEG", quality=97, subsampling=0, exif=b"Exif\0\0" + b"x" * 99), SMOOTH, 6),
    "exif 1": _oriented(1, lambda p: p),
    "exif 2": _oriented(2, lambda p: p[:, ::-1]),
    "exif 3": _oriented(3, lambda p: p[::-1, ::-1]),
    "exif 4": _oriented(4, lambda p: p[::-1]),
    "exif 5": _oriented(5, lambda p: p.swapaxes(0, 1)),
    "exif 6": _oriented(6, lambda p: np.rot90(p, -1)),
    "exif 7": _oriented(7, lambda p: np.rot90(p, 2).swapaxes(0, 1)),
    "exif 8": _oriented(8, lambda p: np.rot90(p)),
    "exif 0": _oriented(0, lambda p: p),
    "exif 9": _oriented(9, lambda p: p),
    "exif text": (
        lambda: saved(NOISE, "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\2\0\0\0\0036\0\0\0\0\0\0\0"),
        NOISE,
        0,
    ),
    "exif 6 in tiff": _oriented(6, lambda p: np.rot90(p, -1), "TIFF"),
    "tiff 0..1": (lambda: tiff(FRACTIONS, 1), grey(FRACTIONS * 255), 0),
    "tiff 0..1, nearly black": (lambda: tiff(FRACTIONS * 0.1, 1), grey(FRACTIONS * 25.5), 1),
    "tiff doubles": (lambda: tiff(FRACTIONS, 1, order=">"), grey(FRACTIONS * 255), 0),
    "tiff floats 0..255": (lambda: tiff(GREY.astype(np.float32), 1), grey(GREY), 0),
    "tiff floats 0..255 with fractions": (lambda: tiff(FRACTIONS * 255, 1), grey(FRACTIONS * 255), 0),
    "tiff floats 0..65535": (lambda: tiff(GREY16.astype(np.float32), 1), grey(GREY16 / 257), 0),
    "tiff with highlights": (lambda: tiff(HDR, 1), grey(HDR * 255), 0),
    "tiff with what is no number": (lambda: tiff(NAN, 1), grey(np.nan_to_num(NAN, nan=0, posinf=1, neginf=0) * 255), 0),
    "tiff 0..1, 0 is white": (lambda: tiff(FRACTIONS, 0), grey(255 - np.rint(FRACTIONS * 255)), 1),
    "tiff 32-bit integers": (lambda: tiff(GREY.astype(np.int32), 1), grey(GREY), 0),
    "tiff 32-bit integers of 16": (lambda: tiff(GREY16.astype(np.int32), 1), grey(GREY16 / 257), 0),
    "tiff grey 16": (lambda: tiff(GREY16, 1), grey(GREY16 / 257), 0),
    "tiff grey 16, big-endian": (lambda: tiff(GREY16, 1, order=">"), grey(GREY16 / 257), 0),
    "tiff grey 16, nearly black": (lambda: tiff(GREY16 // 256, 1), grey(GREY16 // 256 / 257), 0),
    "tiff grey 16, 0 is white": (lambda: tiff(GREY16, 0), grey(255 - np.rint(GREY16 / 257)), 0),
    "tiff grey 8": (lambda: tiff(GREY, 1), grey(GREY), 0),
    "tiff grey 8, 0 is white": (lambda: tiff(GREY, 0), grey(255 - GREY), 0),
    "tiff 1 bit": (lambda: tiff(HALF.astype(np.uint8), 1, bits=1), grey(HALF * 255), 0),
    "tiff 1 bit, 0 is white": (lambda: tiff(HALF.astype(np.uint8), 0, bits=1), grey(255 - HALF * 255), 0),
    "tiff rgb": (lambda: tiff(NOISE, 2), NOISE, 0),
    "tiff rgb planes": (lambda: tiff(NOISE, 2, planar=True), NOISE, 0),
    "tiff rgb 16": (lambda: tiff(KEYED16, 2), KEYED16 / 257, 1),
    "tiff rgb 16, big-endian": (lambda: tiff(KEYED16, 2, order=">"), KEYED16 / 257, 1),
    "tiff rgba": (lambda: tiff(np.dstack([NOISE, ALPHA]), 2, t338=2), on_white(NOISE, ALPHA), 1),
    "tiff rgba, colour times opacity": (lambda: tiff(np.dstack([ON_BLACK, ALPHA]), 2, t338=1), on_white(NOISE, ALPHA), 3),
    "tiff grey and opacity": (lambda: tiff(np.dstack([GREY, ALPHA]), 1, t338=2), on_white(grey(GREY), ALPHA), 1),
    "tiff rgba 16": (
        lambda: tiff(np.dstack([KEYED16, ALPHA.astype(np.uint16) * 257]), 2, t338=2),
        on_white(KEYED16 / 257, ALPHA),
        2,
    ),
    "tiff rgb and something else": (lambda: tiff(np.dstack([NOISE, ALPHA]), 2, t338=0), NOISE, 0),
    "tiff cmyk": (lambda: tiff(CMYK, 5, t332=1), NAKED, 1),
    "tiff ycbcr": (lambda: tiff(_ycbcr(SMOOTH), 6, t530=1), SMOOTH, 4),
    "tiff palette": (lambda: saved(indexed(FEW[8], PALETTE), "TIFF"), PALETTE[FEW[8]], 0),
    "tiff of several pages": (lambda: _frames("TIFF"), SMOOTH, 0),
    "tiff jpeg inside": (lambda: saved(SMOOTH, "TIFF", compression="jpeg", quality=97), SMOOTH, 12),
    "tiff lzw": (lambda: saved(NOISE, "TIFF", compression="tiff_lzw"), NOISE, 0),
    "webp lossless": (lambda: saved(NOISE, "WEBP", lossless=True), NOISE, 0),
    "webp opacity": (
        lambda: saved(np.dstack([NOISE, ALPHA]), "WEBP", lossless=True, exact=True),
        on_white(NOISE, ALPHA),
        1,
    ),
    "webp of several frames": (lambda: _frames("WEBP", lossless=True), SMOOTH, 0),
    "gif": (lambda: saved(indexed(FEW[8], PALETTE), "GIF"), PALETTE[FEW[8]], 0),
    "gif transparent": (
        lambda: saved(indexed(FEW[4], PALETTE), "GIF", transparency=3),
        np.where((FEW[4] == 3)[..., None], 255, PALETTE[FEW[4]]),
        0,
    ),
    "gif smaller than its screen": (lambda: _framed_gif(), _framed_white(), 0),
    "gif of several frames": (
        lambda: saved(indexed(FEW[4], PALETTE), "GIF", save_all=True, append_images=[indexed(FEW[2], PALETTE)]),
        PALETTE[FEW[4]],
        0,
    ),
    "bmp": (lambda: saved(NOISE, "BMP"), NOISE, 0),
    "bmp upside down": (lambda: bmp(NOISE[..., ::-1].tobytes(), 24, height=-H), NOISE, 0),
    "bmp 16 bits": (lambda: bmp(FIVE[::-1].astype("<u2").tobytes(), 16), np.rint((NOISE >> 3) / 31 * 255), 1),
    "bmp run lengths": (lambda: bmp(RUNS, 8, 1, palette=PALETTE), PALETTE[FEW[8]], 0),
    "bmp with opacity": (
        lambda: bmp(np.dstack([NOISE[..., ::-1], ALPHA])[::-1].tobytes(), 32, 3, masks=BGRA),
        on_white(NOISE, ALPHA),
        1,
    ),
    "bmp with an opacity that is 0 all over": (
        lambda: bmp(np.dstack([NOISE[..., ::-1], ALPHA * 0])[::-1].tobytes(), 32, 3, masks=BGRA),
        NOISE,
        0,
    ),
    "bmp palette": (lambda: saved(indexed(FEW[8], PALETTE), "BMP"), PALETTE[FEW[8]], 0),
    "bmp that has no opacity in it": (lambda: saved(np.dstack([NOISE, ALPHA]), "BMP"), NOISE, 0),
    "avif": (lambda: saved(SMOOTH, "AVIF", quality=95), SMOOTH, 12),
}
if not features.check("avif"):
    del SHOWN["avif"]


@pytest.mark.parametrize("case", SHOWN)
def test_a_picture_is_what_a_viewer_shows(case: str, tmp_path: Path) -> None:
    make, wanted, tolerance = SHOWN[case]
    path = tmp_path / "picture.jpg"
    path.write_bytes(make())
    got = read_image(path)
    assert got.dtype == np.uint8
    assert got.shape == wanted.shape
    assert np.abs(got.astype(float) - wanted).max() <= tolerance
    assert got.flags.c_contiguous


# ----------------------------------------------------------------------------------------------------- what a mask means

AWAY = np.hypot(*np.mgrid[-30:42, -40:56])
NEARLY = np.clip(np.rint(255 * (0.5 + (25 - AWAY) / 4)), 0, 255).astype(np.uint8)
COLOURS = np.where(HALF[..., None], (255, 255, 255), (0, 0, 0)).astype(np.uint8)
MASKS: dict[str, tuple[Callable[[], bytes], np.ndarray]] = {
    "0 and 255": (lambda: png(HALF * 255), HALF),
    "0 and 1": (lambda: png(HALF * 1), HALF),
    "0 and 128": (lambda: png(HALF * 128), HALF),
    "0 and 40": (lambda: png(HALF * 40), HALF),
    "0 and 1 of 16 bits": (lambda: png(HALF * 1, 16), HALF),
    "0 and 255 of 16 bits": (lambda: png(HALF * 255, 16), HALF),
    "0 and 65535": (lambda: png(HALF * 65535, 16), HALF),
    "1 bit": (lambda: png(HALF * 1, 1), HALF),
    "2 bits": (lambda: png(HALF * 1, 2), HALF),
    "indices 0 and 1, black and white": (lambda: saved(indexed(HALF, np.array([[0, 0, 0], [255, 255, 255]])), "PNG"), HALF),
    "indices 0 and 1, white and black": (lambda: saved(indexed(~HALF, np.array([[255, 255, 255], [0, 0, 0]])), "PNG"), HALF),
    "indices 0 and 1, nearly black": (lambda: saved(indexed(HALF, np.array([[0, 0, 0], [1, 1, 1]])), "PNG"), HALF),
    "indices 0 and 1, black and dark red": (lambda: saved(indexed(HALF, np.array([[0, 0, 0], [128, 0, 0]])), "PNG"), HALF),
    "rgb": (lambda: png(COLOURS), HALF),
    "rgb 0 and 1": (lambda: png(COLOURS // 255), HALF),
    "blue on black": (lambda: png(COLOURS * (0, 0, 1)), HALF),
    "opacity alone, black": (lambda: png(np.dstack([COLOURS * 0, HALF * 255])), HALF),
    "opacity alone, white": (lambda: png(np.dstack([COLOURS * 0 + 255, HALF * 255])), HALF),
    "opacity alone, grey of two channels": (lambda: png(np.dstack([HALF * 0, HALF * 255])), HALF),
    "white where opaque, black where not": (lambda: png(np.dstack([COLOURS, HALF * 255])), HALF),
    "all opaque": (lambda: png(np.dstack([COLOURS, HALF * 0 + 255])), HALF),
    "white on black, half of it transparent": (
        lambda: png(np.dstack([COLOURS, np.where(np.arange(W) < 80, 255, 0) + HALF * 0])),
        HALF,
    ),
    "black is transparent by name": (lambda: png(HALF * 255, 8, 0, _trns(0)), HALF),
    "all black": (lambda: png(HALF * 0), HALF & False),
    "all white": (lambda: png(HALF * 0 + 255), HALF | True),
    "all transparent": (lambda: png(np.dstack([COLOURS, HALF * 0])), HALF & False),
    "floats 0 and 1": (lambda: tiff(HALF.astype(np.float32), 1), HALF),
    "floats 0 and 255": (lambda: tiff(HALF * np.float32(255), 1), HALF),
    "floats with soft edges": (lambda: tiff((NEARLY / 255).astype(np.float32), 1), NEARLY > 127),
    "32-bit integers 0 and 1": (lambda: tiff(HALF.astype(np.int32), 1), HALF),
    "tiff 1 bit": (lambda: tiff(HALF.astype(np.uint8), 1, bits=1), HALF),
    "tiff 1 bit, 0 is white": (lambda: tiff((~HALF).astype(np.uint8), 0, bits=1), HALF),
    "tiff 16 bits, 0 is white": (lambda: tiff(np.where(HALF, 0, 65535).astype(np.uint16), 0), HALF),
    "soft edges": (lambda: png(NEARLY), NEARLY > 127),
    "soft edges of 16 bits": (lambda: png(NEARLY.astype(int) * 257, 16), NEARLY > 127),
    "jpeg": (lambda: saved((HALF * 255).astype(np.uint8), "JPEG", quality=95), HALF),
    "jpeg, all black": (lambda: saved((HALF * 0).astype(np.uint8), "JPEG"), HALF & False),
    "webp": (lambda: saved(COLOURS, "WEBP", lossless=True), HALF),
    "gif": (lambda: saved(Image.fromarray(HALF), "GIF"), HALF),
    "bmp 1 bit": (lambda: saved(Image.fromarray(HALF), "BMP"), HALF),
    "a linear gamma, which is not for masks": (lambda: png(NEARLY, 8, 0, (b"gAMA", struct.pack(">I", 100000))), NEARLY > 127),
}
NO_MASKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a photograph": (lambda: png(NOISE), "neither black nor white"),
    "labels": (lambda: png(FEW[2]), "nothing in it is white, the lightest is 3 of 255"),
    "labels in colour": (lambda: saved(indexed(FEW[4], PALETTE[:16] // 2), "PNG"), "nothing in it is white"),
    "labels of 16 bits": (lambda: png(FEW[8], 16), "nothing in it is white"),
    "0 and 1 in a jpeg": (lambda: saved(HALF.astype(np.uint8), "JPEG", quality=100), "nothing in it is white"),
    "one grey": (lambda: png(HALF * 0 + 90), "nothing in it is white"),
    "grey on white": (lambda: png(np.where(HALF, 128, 255)), "neither black nor white"),
    "no numbers": (lambda: tiff(NAN, 1), "no number"),
}


@pytest.mark.parametrize("case", MASKS)
def test_a_mask_is_what_is_meant(case: str, tmp_path: Path) -> None:
    make, wanted = MASKS[case]
    path = tmp_path / "mask.jpg"
    path.write_bytes(make())
    got = read_mask(path)
    assert got.dtype == bool
    assert (got == wanted).all()


@pytest.mark.parametrize("case", NO_MASKS)
def test_what_is_no_mask_is_refused(case: str, tmp_path: Path) -> None:
    make, words = NO_MASKS[case]
    path = tmp_path / "mask.png"
    path.write_bytes(make())
    with pytest.raises(ValueError, match=words) as error:
        read_mask(path, "cloth mask")
    assert str(error.value).startswith(f"cloth mask: {path} ")


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: png(np.dstack([NOISE, HALF * 255])), HALF),
        (lambda: png(KEY16, 16, 0, _trns(12345)), KEY16 != 12345),
        (lambda: png(KEYED, 8, 2, _trns(7, 200, 91)), (KEYED != (7, 200, 91)).any(2)),
        (lambda: saved(indexed(FEW[4], PALETTE), "GIF", transparency=3), FEW[4] != 3),
        (lambda: png(FEW[2], 2, 0, _trns(1)), FEW[2] != 1),
        (lambda: saved(np.dstack([NOISE, HALF * np.uint8(255)]), "WEBP", lossless=True, exact=True), HALF),
    ],
    ids=["rgba", "grey 16", "rgb", "gif", "grey 2", "webp"],
)
def test_transparency_is_the_mask_of_a_garment(make, wanted: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "shirt.png"
    path.write_bytes(make())
    assert (read_alpha(path) == wanted).all()
    assert (load_garment(path).mask == wanted).all()
    assert (read_rgba(path)[..., 3] == wanted * 255).all()


def test_numbers_are_read_as_they_are_stored(tmp_path: Path) -> None:
    for name, data, dtype, channels, wanted in (
        ("indices", saved(indexed(FEW[4], PALETTE), "PNG"), np.uint8, 1, FEW[4]),
        ("grey", png(GREY, 8, 0, (b"gAMA", struct.pack(">I", 100000))), np.uint8, 1, GREY),
        ("codes", saved(NOISE, "PNG", icc_profile=_profile(matrix=ADOBE)), np.uint8, 3, NOISE),
        ("millimetres", png(GREY16, 16, 0, _trns(12345)), np.uint16, 1, GREY16),
    ):
        (tmp_path / name).write_bytes(data)
        got = read_values(tmp_path / name, "labels", dtype, channels)
        assert got.dtype == dtype
        assert (got == wanted).all()
    for name, dtype, channels in (
        ("codes", np.uint8, 1),
        ("millimetres", np.uint8, 1),
        ("grey", np.uint16, 1),
        ("grey", np.uint8, 3),
    ):
        with pytest.raises(ValueError, match=rf"^labels: .*{name} is a picture of kind .* needed"):
            read_values(tmp_path / name, "labels", dtype, channels)


# ----------------------------------------------------------------------------------------------------- what is refused


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _socket(path: Path) -> Path:
    short = Path("/tmp") / f"atelier-{os.getpid()}.socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short))
    short.rename(path)
    return path


def _link(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


PHOTO = saved(SMOOTH, "JPEG", quality=90)
BOMB = zlib.compress(bytes(40_000_000))
HUGE_HEAD = png(GREY[:1, :1], 8, 0, size=(40_000, 40_000))
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (lambda p: _fifo(p), "is a pipe, device or socket"),
    "a socket": (lambda p: _socket(p), "is a pipe, device or socket"),
    "a device that gives for ever": (lambda p: "/dev/zero", "is a pipe, device or socket"),
    "a device that gives nothing": (lambda p: "/dev/null", "is a pipe, device or socket"),
    "the terminal": (lambda p: "/dev/tty", "is a pipe, device or socket"),
    "a file of /proc": (lambda p: "/proc/self/environ", "is empty"),
    "a file of /proc that never ends": (lambda p: "/proc/kmsg", "is empty"),
    "a folder": (lambda p: p.parent, "is a folder"),
    "a link to a folder": (lambda p: _link(p, str(p.parent)), "is a folder"),
    "a link to a device": (lambda p: _link(p, "/dev/zero"), "is a pipe, device or socket"),
    "a link to nothing": (lambda p: _link(p, "nowhere.jpg"), "is a link to nowhere.jpg, which does not exist"),
    "a link to itself": (lambda p: _link(p, p.name), "cannot be opened"),
    "nothing": (lambda p: p, "there is no file"),
    "a file in a file": (lambda p: _file(p, PHOTO) / "x.jpg", "there is no file"),
    "a long name": (lambda p: p.parent / ("x" * 300), "cannot be opened"),
    "no name": (lambda p: "", "must be the name of a file"),
    "blanks": (lambda p: "  ", "must be the name of a file"),
    "a null": (lambda p: "a\0.jpg", "holds a NUL character"),
    "half a letter": (lambda p: "\ud800.jpg", "cannot be opened"),
    "an address": (lambda p: "https://example.org/a.jpg", "Download it"),
    "nobody's home": (lambda p: "~nobody-of-that-name/a.jpg", "names nobody's home"),
    "bytes": (lambda p: b"a.jpg", "must be the name of a file"),
    "a number": (lambda p: 7, "must be the name of a file"),
    "None": (lambda p: None, "must be the name of a file"),
    "an array": (lambda p: np.zeros((64, 64, 3), np.uint8), "must be the name of a file"),
    "an empty file": (lambda p: _file(p, b""), "is empty"),
    "EPS": (lambda p: _file(p, saved(SMOOTH, "EPS")), "is PostScript, not a picture"),
    "EPS with a preview": (lambda p: _file(p, b"\xc5\xd0\xd3\xc6" + bytes(60) + saved(SMOOTH, "EPS")), "is PostScript, not a picture"),
    "PDF": (lambda p: _file(p, saved(SMOOTH, "PDF")), "is PDF, not a picture"),
    "SVG": (lambda p: _file(p, b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "is SVG, not a picture"),
    "Photoshop": (lambda p: _file(p, b"8BPS\0\1" + bytes(99)), "is Photoshop, not a picture"),
    "WMF": (lambda p: _file(p, b"\xd7\xcd\xc6\x9a\0\0" + bytes(99)), "is WMF, not a picture"),
    "FITS": (lambda p: _file(p, b"SIMPLE  =                    T" + b" " * 99), "is FITS, not a picture"),
    "HEIC": (lambda p: _file(p, b"\0\0\0\x18ftypheic" + bytes(99)), "is HEIC, not a picture"),
    "an icon": (lambda p: _file(p, saved(SMOOTH, "ICO")), "is an icon, not a picture"),
    "JPEG 2000": (lambda p: _file(p, saved(SMOOTH, "JPEG2000")), "is JPEG 2000, not a picture"),
    "Targa": (lambda p: _file(p, saved(SMOOTH, "TGA")), "not a picture that can be read .JPEG, PNG"),
    "a page of the web": (lambda p: _file(p, b"\n<!DOCTYPE html><title>404</title>"), "is a web page, not a picture"),
    "a placeholder": (lambda p: _file(p, b"version https://git-lfs.github.com/spec/v1\n"), "is a placeholder of Git LFS"),
    "text": (lambda p: _file(p, b"a shirt"), "not a picture that can be read"),
    "zeros": (lambda p: _file(p, bytes(999)), "not a picture that can be read"),
    "tiny": (lambda p: _file(p, png(GREY[:63])), "is 96x63 pixels; at least 64"),
    "one row": (lambda p: _file(p, png(GREY[:1])), "is 96x1 pixels; at least 64"),
    "no pixels": (lambda p: _file(p, png(GREY[:1], 8, 0, size=(0, 0))), "damaged|at least 64"),
    "a head that promises too much": (lambda p: _file(p, HUGE_HEAD), "megapixels"),
    "a head that promises much": (lambda p: _file(p, png(GREY[:1, :1], 8, 0, size=(12_000, 9_000))), "12000x9000 .* 60 megapixels"),
    "64 by a million": (lambda p: _file(p, png(GREY[:1, :1], 8, 0, size=(64, 10**6))), "megapixels"),
    "64 by ten thousand": (lambda p: _file(p, png(GREY[:1, :1], 8, 0, size=(64, 10**4))), "12 times the other"),
    "text that swells": (lambda p: _file(p, png(NOISE, 8, 2, (b"zTXt", b"a\0\0" + BOMB))), "damaged"),
    "a profile that swells": (lambda p: _file(p, png(NOISE, 8, 2, (b"iCCP", b"a\0\0" + BOMB))), "damaged"),
    "a gif of zeros": (lambda p: _file(p, b"GIF89a" + bytes(50)), "damaged|at least 64"),
    "tiff of doubles": (lambda p: _file(p, tiff(FRACTIONS.astype(np.float64), 1)), "is a TIFF that is .* of a rare kind"),
    "tiff without a white": (lambda p: _file(p, tiff(FRACTIONS * np.float32(1e6), 1)), "say no white|neither black nor white"),
    "tiff of 16-bit planes": (lambda p: _file(p, tiff(KEYED16, 2, planar=True)), "16-bit planes"),
    "indices without a palette": (lambda p: _file(p, png(FEW[8], 8, 3)), "palette is missing"),
    "tiff of no numbers": (lambda p: _file(p, tiff(FRACTIONS * np.float32(np.nan), 1)), "holds no numbers|what is no number"),
    "tiff of large integers": (lambda p: _file(p, tiff(GREY16.astype(np.int32) * 30_000, 1)), "say no white"),
    **{
        f"{kind}, {tenth} tenths": (
            lambda p, data=data, tenth=tenth: _file(p, data()[: len(data()) * tenth // 10]),
            "damaged|not a picture that can be read",
        )
        for kind, data in {
            "jpeg": lambda: PHOTO,
            "png": lambda: png(NOISE),
            "tiff": lambda: saved(NOISE, "TIFF"),
            "lzw": lambda: saved(NOISE, "TIFF", compression="tiff_lzw"),
            "bmp": lambda: saved(NOISE, "BMP"),
            "webp": lambda: saved(NOISE, "WEBP", lossless=True),
            "gif": lambda: saved(indexed(FEW[8], PALETTE), "GIF"),
        }.items()
        for tenth in range(1, 10)
    },
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.skipif(os.name == "nt", reason="pipes, links and devices are others on Windows")
def test_what_is_no_picture_is_refused_by_name(case: str, tmp_path: Path) -> None:
    make, words = REFUSED[case]
    path = make(tmp_path / "photo.jpg")
    for read in (read_image, read_mask, read_alpha):
        with pytest.raises((ValueError, FileNotFoundError), match=words) as error:
            read(path, "person")
        assert str(error.value).startswith("person")
        assert isinstance(path, np.ndarray) or Path(str(path)).name.strip() in str(error.value).encode().decode(
            "unicode_escape"
        )


@pytest.mark.skipif(os.name == "nt", reason="the interpreter has another name there")
def test_no_interpreter_is_ever_called(tmp_path: Path, monkeypatch) -> None:
    called = tmp_path / "called"
    for name in ("gs", "ghostscript", "convert", "magick", "inkscape", "rsvg-convert"):
        script = _file(tmp_path / name, f"#!/bin/sh\necho {name} >> {called}\n".encode())
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for suffix in ("eps", "jpg", "png", "tif", "ps"):
        for kind in ("EPS", "PDF"):
            path = _file(tmp_path / f"photo.{suffix}", saved(SMOOTH, kind))
            for read in (read_image, read_mask, read_alpha, load_garment, load_person, product):
                with pytest.raises(ValueError, match="not a picture"):
                    read(f'a t-shirt with "{path}"' if read is product else path)
    assert not called.exists()


# --------------------------------------------------------------------------------------------------------------- arrays


class Tensor:
    """As much of torch's as is looked at."""

    def detach(self) -> Tensor:
        return self

    cpu = detach


class Shaped(np.ndarray):
    """A subclass that somebody else has made."""


ARRAYS: dict[str, tuple[object, str]] = {
    "a path": ("photo.jpg", r"not a str\. Read files with read_image"),
    "a Path": (Path("photo.jpg"), r"not a .*Path\. Read files with read_image"),
    "nothing": (None, "not a NoneType"),
    "a list": (NOISE.tolist(), "not a list"),
    "a picture of Pillow's": (Image.fromarray(NOISE), r"np\.array\(image\.convert\('RGB'\)\)"),
    "a tensor": (Tensor(), r"image\.detach\(\)\.cpu\(\)\.numpy\(\)"),
    "masked": (np.ma.masked_array(NOISE, NOISE > 3), r"masked array\. Fill .*image\.filled"),
    "a matrix": (np.matrix(GREY), r"\(H, W, 3\)"),
    "grey": (GREY, "Stack a grey picture"),
    "rgba": (np.dstack([NOISE, ALPHA]), "four channels"),
    "one channel": (GREY[..., None], r"must have shape \(H, W, 3\)"),
    "channels first": (np.moveaxis(NOISE, 2, 0), r"np\.moveaxis\(image, 0, 2\)"),
    "several": (NOISE[None], r"One picture: image\[0\]"),
    "nothing in it": (NOISE[:0], "at least 64"),
    "no axes": (np.array(7), "must have shape"),
    "objects": (NOISE.astype(object), "must be uint8 .* not object"),
    "texts": (NOISE.astype(str), "must be uint8"),
    "bools": (NOISE > 127, r"not bool\. .*image \* np\.uint8\(255\)"),
    "floats": (NOISE / 255, r"\(image \* 255\)\.round"),
    "no numbers": (np.full((H, W, 3), np.nan), "must be uint8"),
    "big-endian 16 bits": (KEYED16.astype(">u2"), r"image // 257"),
    "wide integers": (NOISE.astype(np.int64), r"image\.astype\(np\.uint8\)"),
    "signed": (NOISE.astype(np.int8), "must be uint8"),
    "complex": (NOISE.astype(complex), "must be uint8"),
    "dates": (NOISE.astype("datetime64[s]"), "must be uint8"),
    "small": (NOISE[:63], "at least 64"),
    "more than a file may have": (
        np.broadcast_to(np.uint8(0), (9_000, 12_000, 3)),
        "12000x9000 pixels, more than 60 megapixels",
    ),
    "a ribbon": (np.broadcast_to(np.uint8(0), (1000, 64, 3)), "12 times the other"),
}
MASK_ARRAYS: dict[str, tuple[object, str]] = {
    "a path": ("mask.png", "not str. Read files with read_mask"),
    "nothing": (None, "not NoneType"),
    "a picture of Pillow's": (Image.fromarray(HALF), r"np\.array\(mask\.convert\('L'\)\) > 127"),
    "a tensor": (Tensor(), r"mask\.detach"),
    "masked": (np.ma.masked_array(HALF, HALF), r"masked array\. Fill"),
    "0 and 1": (HALF.astype(np.uint8), "mask > 0 |> 0 where white is 1"),
    "0 and 255": (HALF.astype(np.uint8) * 255, "mask > 127"),
    "integers": (HALF.astype(int), r"mask > 0\.5"),
    "floats": (HALF.astype(float), r"mask > 0\.5"),
    "objects": (HALF.astype(object), "not object"),
    "one channel": (HALF[..., None], r"one channel: mask\[\.\.\., 0\]"),
    "three channels": (np.dstack([HALF] * 3), r"one channel: mask\[\.\.\., 0\]"),
    "of another size": (HALF[:-1], f"{W}x{H - 1} but its picture is {W}x{H}"),
    "on its side": (HALF.T, f"{H}x{W} but its picture is {W}x{H}"),
    "empty": (HALF & False, "mask is empty"),
}
ODD: dict[str, np.ndarray] = {
    "mirrored": np.ascontiguousarray(NOISE[:, ::-1])[:, ::-1],
    "BGR turned round": np.ascontiguousarray(NOISE[..., ::-1])[..., ::-1],
    "every second": np.repeat(NOISE, 2, 1)[:, ::2],
    "columns first": np.asfortranarray(NOISE),
    "of a subclass": NOISE.view(Shaped),
    "a part of RGBA": np.dstack([NOISE, ALPHA])[..., :3],
    "read-only": np.frombuffer(NOISE.tobytes(), np.uint8).reshape(H, W, 3),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_what_is_no_picture_in_memory_is_refused(case: str) -> None:
    value, words = ARRAYS[case]
    for call in (checks.image, lambda image: Person(image), lambda image: segment(image, [(30, 30, 1)]), Garment):
        with pytest.raises(ValueError, match=words):
            call(value)


@pytest.mark.parametrize("case", MASK_ARRAYS)
def test_what_is_no_mask_in_memory_is_refused(case: str) -> None:
    value, words = MASK_ARRAYS[case]
    with pytest.raises(ValueError, match=words):
        checks.mask(value, (H, W))
    if value is not None:
        with pytest.raises(ValueError, match="mask"):
            Garment(NOISE, mask=value)


@pytest.mark.parametrize("case", ODD)
def test_however_a_picture_lies_in_memory_it_is_the_same(case: str) -> None:
    got = checks.image(ODD[case])
    assert type(got) is np.ndarray
    assert got.flags.c_contiguous
    assert (got == NOISE).all()
    kept = checks.mask((ODD[case] > 127)[..., 0], (H, W))
    assert (kept == (NOISE[..., 0] > 127)).all()
    person, garment = Person(ODD[case]), Garment(ODD[case], np.matrix(kept))
    for stored in (person.image, garment.image, garment.mask):
        assert type(stored) is np.ndarray
        assert stored.flags.c_contiguous
    assert (segment(person.image, [(30, 30, 1)]) == segment(NOISE, [(30, 30, 1)])).all()
    assert (person.resized((64, 64)).image == Person(NOISE).resized((64, 64)).image).all()


# --------------------------------------------------------------------------------------------------------------- memory


def _peak(work: Callable[[], object]) -> float:
    """Most bytes that ``work`` holds at once beyond what was there."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_large_photograph_is_not_held_in_many_versions(tmp_path: Path) -> None:
    large = np.broadcast_to(SMOOTH[:1, :1], (4000, 3000, 3)).copy()
    pixels = large.shape[0] * large.shape[1]
    small = np.zeros((1024, 768), bool)
    small[300:800, 200:500] = True
    result = TryOn(np.zeros((1024, 768, 3), np.uint8), small, small)
    mask = images.resize(small, (3000, 4000))
    path = images.write_image(tmp_path / "photo.jpg", large)
    # The picture itself is 3 bytes a pixel, a version of it in floats 12; of what is worked on at a time there are 2**20 pixels.
    strips = 64 * 2**20
    assert _peak(lambda: images.digest(large)) < pixels / 100
    assert _peak(lambda: images.paste_back(large, 255 - large, mask)) < 6 * pixels + strips
    assert _peak(lambda: result.at_size_of(large)) < 9 * pixels + strips
    assert _peak(lambda: read_image(path)) < 3 * pixels + strips


def test_strips_leave_the_pixels_as_they_were(monkeypatch) -> None:
    mask = np.zeros((H, W), bool)
    mask[3:30, 5:40] = mask[50:, 80:] = mask[40, 2] = True
    other = 255 - NOISE
    for soft in (0.5, 3.0, 9.0):
        weight = images.feather(mask, soft)[..., None]
        mixed = np.rint(NOISE * (1 - weight) + other.astype(np.float32) * weight)
        for area in (W, 7 * W, 1 << 20):
            monkeypatch.setattr(images, "_AREA", area)
            assert (images.paste_back(NOISE, other, mask, soft) == mixed).all()
            assert (images.difference(NOISE, mixed.astype(np.uint8)) == abs(mixed - NOISE).max(2)).all()
    assert (images.paste_back(NOISE, other, mask & False) == NOISE).all()


def test_files_converted_in_strips_are_the_same(monkeypatch, tmp_path: Path) -> None:
    for case in ("png rgba", "png grey 16, one transparent", "tiff floats 0..255 with fractions", "jpeg Display P3", "exif 6"):
        path = _file(tmp_path / "photo", SHOWN[case][0]())
        whole = read_image(path)
        monkeypatch.setattr(reading, "_STRIP", 7 * W)
        assert (read_image(path) == whole).all()
        monkeypatch.undo()


def test_a_large_garment_is_laid_like_a_smaller_one(monkeypatch) -> None:
    monkeypatch.setattr(drape, "LARGEST", 6000)
    garment = Garment(NOISE, HALF, inside=HALF & False)
    small = drape._reduced(garment)
    assert small.image.shape == (67, 89, 3)
    assert small.mask.shape == small.inside.shape == (67, 89)
    assert drape._reduced(small) is small
