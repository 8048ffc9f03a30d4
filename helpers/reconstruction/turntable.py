"""Videos of a figure turning: MP4 (H.264, by the FFmpeg of imageio-ffmpeg), GIF and WebP, which loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from PIL import Image

from helpers import checks
from helpers.files import told, write_whole

SUFFIXES = (".mp4", ".gif", ".webp")
_QUALITY = 20  # constant rate factor of H.264: 18 cannot be told from the pictures, 28 looks poor
_WEBP = 80


def write(pictures: Sequence[np.ndarray], path: str | Path, fps: int = 15) -> Path:
    """Write ``pictures``, uint8 (H, W, 3) or, but for MP4, (H, W, 4), at ``fps`` pictures a second; the suffix of ``path`` says as what.

    An odd last row or column of an MP4 is left out, which H.264 does not take. Raises ``ValueError`` for another suffix or pictures that do
    not fit together, and ``files.NotWritten`` where it cannot be written; no half video is left.
    """
    path, suffix, fps = Path(path), require(path), checks.whole(fps, "fps", 1, 120)
    if not len(pictures):
        raise ValueError("pictures: a video needs at least one.")
    if len({picture.shape for picture in pictures}) > 1:
        raise ValueError("pictures must all have one shape.")
    if suffix == ".mp4":
        return write_whole(path, lambda part: _mp4(pictures, part, fps))
    return write_whole(path, lambda part: _loop(pictures, part, suffix, fps))


def require(path: str | Path) -> str:
    """The suffix of ``path``, one of ``SUFFIXES``; ``ValueError`` for another one."""
    if (suffix := Path(path).suffix.lower()) not in SUFFIXES:
        raise ValueError(
            f"{told(path)} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}: those are the videos written here."
        )
    return suffix


def _mp4(pictures: Sequence[np.ndarray], path: Path, fps: int) -> None:
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    if pictures[0].shape[2] != 3:
        raise ValueError("an MP4 has no transparency: take views without it, or write a .webp.")
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=fps,
        codec="libx264",
        pix_fmt_out="yuv420p",
        macro_block_size=2,
        quality=None,
        output_params=["-crf", str(_QUALITY), "-movflags", "+faststart"],
    )
    writer.send(None)
    try:
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture[:height, :width]))
    finally:
        writer.close()
    if not path.stat().st_size:
        raise OSError("FFmpeg wrote nothing")


def _loop(pictures: Sequence[np.ndarray], path: Path, suffix: str, fps: int) -> None:
    frames = [Image.fromarray(picture) for picture in pictures]
    options: dict[str, Any] = {"quality": _WEBP, "method": 4} if suffix == ".webp" else {"disposal": 2}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0, **options)
