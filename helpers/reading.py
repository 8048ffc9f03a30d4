"""Picture files as a viewer shows them, or as the numbers that they hold; what is neither is refused by name, and nothing is run.

JPEG, PNG, WebP, TIFF, BMP, GIF and, where Pillow has it, AVIF, told by their bytes and not by their suffix. Of several frames or pages the
first is taken. Pictures are uint8 (H, W, 3) RGB in sRGB; masks bool (H, W); sizes (width, height) in pixels.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from helpers import checks

_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP", "TIFF": "TIFF", "BMP": "BMP", "GIF": "GIF", "AVIF": "AVIF"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
"""How the names of such files end, where a folder is looked through."""
_STARTS = {  # what other files begin with, from which byte on, and those of ours, to tell a damaged one from another kind
    b"\xff\xd8\xff": (0, "JPEG"), b"\x89PNG": (0, "PNG"), b"WEBP": (8, "WebP"), b"II*\0": (0, "TIFF"), b"MM\0*": (0, "TIFF"),
    b"BM": (0, "BMP"), b"GIF8": (0, "GIF"), b"ftypavi": (4, "AVIF"), b"%!PS": (0, "PostScript"), b"\xc5\xd0\xd3\xc6": (0, "PostScript"),
    b"%PDF": (0, "PDF"), b"8BPS": (0, "Photoshop"), b"ftyphei": (4, "HEIC"), b"ftyphev": (4, "HEIC"), b"ftypmif": (4, "HEIC"),
    b"ftypcrx": (4, "camera raw"), b"ftyp": (4, "video"), b"\xd7\xcd\xc6\x9a": (0, "WMF"), b"SIMPLE  =": (0, "FITS"),
    b"jP  \r\n": (4, "JPEG 2000"), b"JXL ": (4, "JPEG XL"), b"\xff\x0a": (0, "JPEG XL"), b"v/1\x01": (0, "OpenEXR"),
    b"#?RADIANCE": (0, "Radiance HDR"), b"\0\0\1\0": (0, "an icon"), b"<svg": (0, "SVG"), b"<?xml": (0, "SVG or XML"),
    b"<!doctype": (0, "a web page"), b"<html": (0, "a web page"), b"version https://git": (0, "a placeholder of Git LFS"),
    b"PK\3\4": (0, "an archive"),
}  # fmt: skip
_STRIP = 1 << 20  # pixels that are converted at a time: the whole picture in several versions would not fit
_SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # x, y of white, red, green and blue, as in a PNG's cHRM
_SCREEN = 2.2  # what a screen makes of a value, near enough to sRGB
_SAME = 2  # of 255: two colour spaces that differ no more are one
_DARK, _LIGHT = 48, 207  # of 255: what still counts as black in a mask, and what as white
_GREY, _SOLID = 0.2, 0.02  # shares of a mask that may be grey in all, at soft edges, and in patches
_BRIGHT = 16.0  # a picture of fractions of which more than a hundredth lies above is 0..255, not 0..1 with highlights


def read_image(path: str | Path, name: str = "image") -> np.ndarray:
    """A picture file as a viewer shows it on white: uint8 (H, W, 3) RGB, upright by its EXIF, colours by its profile.

    16 bits and 12 keep their white, so that what is nearly black stays so. Fractions are 0..1 with highlights clipped, or 0..255 where they
    clearly are; 32-bit whole numbers 0..255 or 0..65535, whichever holds them. A broken profile or EXIF is passed over, as viewers do.
    Raises ``FileNotFoundError`` or ``ValueError`` naming ``name``, the file, and what to do.
    """
    picture = read_picture(path, name)
    out = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, colour, alpha in _strips(picture, f"{name}: {path}"):
        if alpha is not None:
            colour.putalpha(alpha)
            colour = Image.alpha_composite(Image.new("RGBA", colour.size, "white"), colour).convert("RGB")
        out[rows] = np.asarray(colour)
    return _upright(picture, out)


def read_rgba(path: str | Path, name: str = "image", smallest: int = checks.SMALLEST) -> np.ndarray:
    """The same with its transparency instead of white below it: uint8 (H, W, 4), at least ``smallest`` pixels a side."""
    picture = read_picture(path, name, smallest)
    out = np.full((picture.height, picture.width, 4), 255, np.uint8)
    for rows, colour, alpha in _strips(picture, f"{name}: {path}"):
        out[rows, :, :3] = np.asarray(colour)
        if alpha is not None:
            out[rows, :, 3] = np.asarray(alpha)
    return _upright(picture, out)


def read_alpha(path: str | Path, name: str = "image") -> np.ndarray | None:
    """The picture's transparency as bool (H, W), True where it is at least half opaque; ``None`` if it has none or is opaque."""
    picture = read_picture(path, name)
    out = np.ones((picture.height, picture.width), bool)
    for rows, _, alpha in _strips(picture, f"{name}: {path}"):
        if alpha is not None:
            out[rows] = np.asarray(alpha) > 127
    return None if out.all() else _upright(picture, out)


def read_mask(path: str | Path, name: str = "mask") -> np.ndarray:
    """A black and white picture as bool (H, W), True where white. What is meant by it, in this order:

    - a picture of one colour with transparency: what is at least half opaque; of several colours: what is transparent is black
    - black and one other value, be it 1, 128 or a colour: that other value; lossless files only, for JPEG invents values
    - else what is lighter than half, where edges may be soft

    Profiles and gamma are passed over, for these are no colours. Raises ``ValueError`` for a picture with many grey or coloured pixels,
    which is a photograph or a grey agnostic image, and for one with nothing white in it that is not all black, such as a map of labels.
    """
    picture = read_picture(path, name)
    values = _mask_values(picture)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite((low, high)).all():
        raise ValueError(f"{name}: {path} is not a mask: it holds what is no number. Save it as a black and white PNG.")
    if picture.format not in ("JPEG", "MPO") and low == 0 < high and ((values == low) | (values == high)).all():
        return _upright(picture, values == high)
    top = _white(picture) or _range(picture, f"{name}: {path}")
    if 0 < high <= _LIGHT / 255 * top:
        raise ValueError(
            f"{name}: {path} is not a mask: nothing in it is white, the lightest is {high:g} of {top:g}. "
            "Give a picture that is white on the garment and black elsewhere; of a map of labels, compare first: labels == 5."
        )
    grey = (values > _DARK / 255 * top) & (values < _LIGHT / 255 * top)
    between, solid = float(grey.mean()), float(cv2.erode(grey.astype(np.uint8), np.ones((5, 5), np.uint8)).mean())
    if between > _GREY or solid > _SOLID:
        raise ValueError(
            f"{name}: {path} is not a mask: {between:.0%} of it is neither black nor white. "
            "Give a picture that is white on the garment and black elsewhere."
        )
    return _upright(picture, values > top / 2)


def read_values(path: str | Path, name: str, dtype: type[np.generic] = np.uint8, channels: int = 1) -> np.ndarray:
    """The numbers of a picture file as they are stored, not as they look: indices of a palette, 16-bit integers, codes in RGB.

    dtype: ``np.uint8`` or ``np.uint16``; channels: 1 for (H, W), 3 for (H, W, 3)
    Raises ``FileNotFoundError`` or ``ValueError`` naming ``name``, the file, and what to do; also where it holds another kind of number.
    """
    picture = read_picture(path, name)
    modes = (
        {("L", 1): "L", ("P", 1): "L", ("RGB", 3): "RGB"} if dtype is np.uint8 else {("I;16", 1): "I;16", ("I;16B", 1): "I;16"}
    )
    if picture.mode == "I" and picture.format == "PNG" and dtype is np.uint16:  # as Pillow before 11 read 16 bits
        return np.array(picture).astype(np.uint16)
    if (picture.mode, channels) not in modes or (picture.mode == "L" and picture.info.get("bits", 8) != 8):
        wanted = f"{'16' if dtype is np.uint16 else '8'}-bit numbers, {'one' if channels == 1 else 'three'} a pixel"
        raise ValueError(f"{name}: {path} is a picture of kind {picture.mode}; {wanted}, are needed. Save it as such a PNG.")
    return np.array(picture).astype(dtype)


# ---------------------------------------------------------------------------------------------------------------- files


@cache
def _formats() -> dict[str, str]:
    """Those of the formats that Pillow has here, and what people call them."""
    Image.init()
    return {key: name for key, name in _FORMATS.items() if key in Image.OPEN}


def read_picture(path: str | Path, name: str, smallest: int = checks.SMALLEST) -> Image.Image:
    """The file as Pillow holds it, loaded: mode, palette and pixels, not yet upright, and how they are to be understood (``info``).

    smallest: pixels a side that it has to have
    """
    path = checks.file(path, name)
    start, fault, listed, place = b"", "", ", ".join(_formats().values()), None
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes, which are asked about here
            start = file.read(32)
            file.seek(0)
            with Image.open(file, formats=list(_formats())) as picture:
                fault = checks.odd_size(picture.size, smallest) or _unfit(picture)
                if not fault:
                    place = picture.tile[0][1] if picture.tile else None
                    picture.load()
    except Image.DecompressionBombError:
        fault = f"has more than {checks.LARGEST // 10**6} megapixels. Make it smaller first."
    except UnidentifiedImageError:
        kind = _kind(start)
        if kind in _FORMATS.values():
            fault = f"is a {kind} that is damaged, cut short or of a rare kind. Copy or download it again, or save it as JPEG or PNG."
        else:
            what = f"is {kind}, " if kind else "is "
            fault = f"{what}not a picture that can be read ({listed}). Save it as JPEG or PNG and try again."
    except Exception as error:  # a decoder of damaged bytes may fail in any way
        fault = f"is damaged or cut short ({error}). Copy or download it again."
    if fault:
        raise ValueError(f"{name}: {path} {fault}")
    if picture.format == "PNG":
        picture.info["bits"] = start[24]
        if picture.mode == "RGB" and start[24] == 16 and "transparency" in picture.info:
            return _keyed(picture, path)
    elif isinstance(picture, TiffImagePlugin.TiffImageFile):
        picture.info["bits"] = picture.tag_v2.get(258, (1,))[0]
        picture.info["zero is white"] = picture.tag_v2.get(262) == 0
    elif picture.format == "BMP" and picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0):
        return picture.convert("RGB")  # an opacity that nobody has written
    elif picture.format == "GIF" and place not in (None, (0, 0, *picture.size)):
        screen = Image.new("RGBA", picture.size)  # nothing is drawn around it
        screen.paste(picture.convert("RGBA").crop(place), place)
        return screen
    return picture


def _keyed(picture: Image.Image, path: Path) -> Image.Image:
    """A PNG of three times 16 bits with its transparent colour as opacity: in the 8 bits that Pillow keeps, others would be that colour."""
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:  # a decoder that leaves the colour to Pillow
        return picture
    del picture.info["transparency"]
    picture.putalpha(Image.fromarray(np.where(pixels[..., 3], 255, 0).astype(np.uint8)))
    return picture


def _unfit(picture: Image.Image) -> str:
    """Why Pillow would show something else than is in the file; "" where it does not."""
    if picture.mode == "P" and picture.palette is None:
        return "is a picture of indices whose palette is missing. Copy or download it again."
    tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else {}
    if tags.get(284) == 2 and max(tags.get(258, (8,))) > 8 and tags.get(277, 1) > 1:
        return "is a TIFF of 16-bit planes, which is not read here. Save it with interleaved channels, or as PNG."
    return ""


def _kind(start: bytes) -> str:
    lower = start.lstrip().lower()
    for mark, (place, kind) in _STARTS.items():
        if start[place:].startswith(mark) or (mark.startswith(b"<") and lower.startswith(mark)):
            return kind
    return ""


def _upright(picture: Image.Image, pixels: np.ndarray) -> np.ndarray:
    """``pixels`` (H, W[, C]) turned and mirrored as the picture's EXIF says; as they are where that says nothing sensible."""
    try:
        turn = picture.getexif().get(0x0112)
    except Exception:  # broken EXIF
        turn = 1
    if turn in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


# ------------------------------------------------------------------------------------------------------- what is shown


def _strips(picture: Image.Image, what: str) -> Iterator[tuple[slice, Image.Image, Image.Image | None]]:
    """From the top down: the rows, their colours (RGB, 8 bits, sRGB), and their opacity (L), or ``None`` where all is opaque."""
    top = _white(picture) or _range(picture, what)
    convert = None
    for rows, strip in _cut(picture):
        colour, alpha = _layers(strip, picture, top)
        if rows.start == 0:
            convert = _profile(picture, colour.mode) or _chromaticity(picture)
        yield rows, convert(colour) if convert else colour.convert("RGB"), alpha


def _cut(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    height = max(1, _STRIP // picture.width)
    for start in range(0, picture.height, height):
        stop = min(start + height, picture.height)
        yield slice(start, stop), picture.crop((0, start, picture.width, stop))


def _numbers(picture: Image.Image) -> bool:
    return picture.mode == "F" or picture.mode.startswith("I")


def _white(picture: Image.Image) -> float:
    """The number that is white, where the file says so; 0 where it depends on the numbers (floats, 32 bits)."""
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PNG"):
        return 0.0
    if picture.mode.startswith("I"):
        return 2.0 ** picture.info.get("bits", 16) - 1
    return 255.0


def _range(picture: Image.Image, what: str) -> float:
    """The number that is white in a picture of floats or of 32-bit integers: 1, 255 or 65535."""
    high, above, whole, count = -np.inf, 0, True, 0
    for _, strip in _cut(picture):
        values = np.asarray(strip)
        values = values[np.isfinite(values)]
        if values.size:
            high, above, count = max(high, float(values.max())), above + int((values > _BRIGHT).sum()), count + values.size
            whole = whole and bool((values == np.rint(values)).all())
    if not count:
        raise ValueError(f"{what} holds no numbers (NaN). Save it as JPEG or PNG.")
    if picture.mode == "F" and (high <= 1 or (not whole and above <= 0.01 * count)):
        return 1.0
    for top in (255.0, 65535.0) if whole else (255.0,):
        if high <= top:
            return top
    raise ValueError(
        f"{what} holds numbers up to {high:g}, which say no white (0..1, 0..255 or 0..65535). Save it as JPEG or PNG."
    )


def _layers(strip: Image.Image, picture: Image.Image, top: float) -> tuple[Image.Image, Image.Image | None]:
    """Colours in 8 bits, in the file's own colour space, and opacity, if any."""
    key = picture.info.get("transparency")
    if _numbers(strip):
        values = np.asarray(strip)
        alpha = None if key is None else values != key
        numbers = np.clip(np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=top), 0, top)
        grey = np.rint(numbers * (255.0 / top)).astype(np.uint8)
        if picture.info.get("zero is white"):  # of which Pillow takes care up to 8 bits
            grey = 255 - grey
        return Image.fromarray(grey), None if alpha is None else Image.fromarray(alpha.astype(np.uint8) * 255)
    if key is not None and strip.mode in ("1", "L", "RGB"):
        # A PNG names one colour that is transparent, in the file's own bits; Pillow has scaled the pixels to 8.
        bits = picture.info.get("bits", 8)
        seen = strip.convert("L") if strip.mode == "1" else strip
        wanted = np.array(key, np.int64) >> 8 if bits == 16 else np.array(key, np.int64) * 255 // (2**bits - 1)
        same = (np.asarray(seen) == wanted).reshape(strip.height, strip.width, -1).all(2)
        seen.info.pop("transparency", None)
        return seen, Image.fromarray(np.where(same, 0, 255).astype(np.uint8))
    if strip.mode in ("LA", "La"):
        return strip.convert("LA").getchannel("L"), strip.getchannel("A")
    if key is not None or strip.mode in ("RGBA", "PA", "RGBa") or getattr(strip.palette, "mode", "") == "RGBA":
        whole = strip.convert("RGBA")
        return whole.convert("RGB"), whole.getchannel("A")
    if strip.mode in ("1", "P"):
        return strip.convert("L" if strip.mode == "1" else "RGB"), None
    return strip, None


def _profile(picture: Image.Image, mode: str) -> Callable[[Image.Image], Image.Image] | None:
    """From colours of ``mode`` to sRGB by the file's profile; ``None`` where it has none, a broken or unfitting one, or sRGB itself."""
    if not (profile := picture.info.get("icc_profile")):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "RGB":
            steps = np.linspace(0, 255, 9).round().astype(np.uint8)
            probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
            seen = np.asarray(transform.apply(Image.fromarray(probe)))
            if np.abs(seen.astype(int) - probe).max() <= _SAME:
                return None
    except Exception:  # a damaged profile, one of another colour space, no colour management here
        return None
    return transform.apply


def _chromaticity(picture: Image.Image) -> Callable[[Image.Image], Image.Image] | None:
    """From a PNG's own gamma and primaries (gAMA, cHRM) to sRGB, where they are others, as its specification asks; else ``None``."""
    info = picture.info
    gamma, primaries = info.get("gamma") or 1 / _SCREEN, info.get("chromaticity") or _SRGB
    if picture.format != "PNG" or "srgb" in info or "icc_profile" in info or not 0.1 < gamma < 10:
        return None
    try:
        matrix = np.linalg.inv(_xyz(_SRGB)) @ _xyz(primaries)
    except (np.linalg.LinAlgError, ZeroDivisionError):  # primaries on one line
        return None
    other = not np.allclose(primaries, _SRGB, atol=0.005) and bool(np.isfinite(matrix).all())
    if not other and abs(gamma * _SCREEN - 1) < 0.05:  # libpng's own threshold
        return None
    lit = ((np.arange(256) / 255.0) ** (1 / gamma)).astype(np.float32)

    def convert(colour: Image.Image) -> Image.Image:
        linear = lit[np.asarray(colour.convert("RGB"))]
        if other:
            linear = np.clip(linear @ matrix.T.astype(np.float32), 0, 1)
        return Image.fromarray(np.rint(255 * linear ** (1 / _SCREEN)).astype(np.uint8))

    return convert


def _xyz(chromaticities: Sequence[float]) -> np.ndarray:
    """(3, 3) from linear RGB to XYZ relative to its own white: x, y of white, red, green and blue."""
    white, *primaries = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in zip(*[iter(chromaticities)] * 2, strict=True))
    columns = np.stack(primaries, 1)
    return columns * np.linalg.solve(columns, white) / white[:, None]


# --------------------------------------------------------------------------------------------------------------- masks


def _mask_values(picture: Image.Image) -> np.ndarray:
    """(H, W): the numbers of a picture that is to be black and white, as they are stored; black where it is transparent."""
    if _numbers(picture) and "transparency" not in picture.info:
        values = np.asarray(picture)
        if not np.isfinite(values).all():
            return values
        return (_white(picture) or values.max()) - values if picture.info.get("zero is white") else values
    shape = (picture.height, picture.width)
    values, opaque = np.empty(shape, np.uint8), np.ones(shape, bool)
    for rows, strip in _cut(picture):
        colour, alpha = _layers(strip, picture, _white(picture))
        values[rows] = np.asarray(colour.convert("L"))
        if alpha is not None:
            opaque[rows] = np.asarray(alpha) > 127
    if not opaque.all():
        kept = values[opaque]
        one = kept.size > 0 and kept.min() == kept.max()
        values[opaque] = 255 if one else kept
        values[~opaque] = 0
    return values
