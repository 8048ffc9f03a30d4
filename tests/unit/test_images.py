import errno
import os

import numpy as np
import pytest
from PIL import Image

from helpers import checks, files, images


def noise(height: int = 96, width: int = 72) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_png_round_trip_is_exact_and_jpeg_close(tmp_path) -> None:
    picture = noise()
    assert (images.read_image(images.write_image(tmp_path / "a.png", picture)) == picture).all()
    smooth = images.resize(picture[:8, :6], (72, 96))
    assert np.abs(images.read_image(images.write_image(tmp_path / "a.jpg", smooth)).astype(int) - smooth).mean() < 2


def test_exif_rotation_is_undone(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=exif)
    assert images.read_image(tmp_path / "a.png").shape == (72, 96, 3)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16", "CMYK", "1"])
def test_every_mode_becomes_rgb(tmp_path, mode: str) -> None:
    grey = np.linspace(0, 255, 96 * 72).reshape(96, 72)
    picture = (
        Image.fromarray((grey * 257).astype(np.uint16))
        if mode == "I;16"
        else Image.fromarray(grey.astype(np.uint8)).convert(mode)
    )
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(path)
    got = images.read_image(path)
    assert got.shape == (96, 72, 3)
    assert got.dtype == np.uint8
    assert got[-1, -1].min() > 230
    assert got[0, 0].max() < 25


def test_transparency_is_laid_on_white_and_gives_the_mask(tmp_path) -> None:
    picture = np.dstack([noise(), np.zeros((96, 72), np.uint8)])
    picture[20:60, 20:50, 3] = 255
    path = images.write_image(tmp_path / "a.png", picture)
    assert (images.read_image(path)[0, 0] == 255).all()
    assert images.read_alpha(path).sum() == 40 * 30
    assert images.read_alpha(images.write_image(tmp_path / "b.png", noise())) is None


def test_bad_files_are_named(tmp_path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("<html>404</html>")
    whole = images.write_image(tmp_path / "whole.jpg", noise()).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    images.write_image(tmp_path / "tiny.png", noise(32, 32))
    for file, words in (
        ("empty.jpg", "is empty"),
        ("text.jpg", "not a picture"),
        ("cut.jpg", "damaged"),
        ("tiny.png", "32x32"),
    ):
        with pytest.raises(ValueError, match=words) as error:
            images.read_image(tmp_path / file, "person")
        assert file in str(error.value)
        assert str(error.value).startswith("person:")
    with pytest.raises(FileNotFoundError, match=r"garment: there is no file .*nowhere\.jpg"):
        images.read_image(tmp_path / "nowhere.jpg", "garment")
    with pytest.raises(ValueError, match="is a folder"):
        images.read_image(tmp_path)


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checks, "LARGEST", 5000)
    path = images.write_image(tmp_path / "a.png", noise())
    with pytest.raises(ValueError, match="megapixels"):
        images.read_image(path)


def test_a_photograph_is_no_mask(tmp_path) -> None:
    with pytest.raises(ValueError, match="is not a mask"):
        images.read_mask(images.write_image(tmp_path / "a.png", noise()))
    mask = noise()[..., 0] > 127
    assert (images.read_mask(images.write_mask(tmp_path / "m.png", mask)) == mask).all()


def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path, monkeypatch) -> None:
    path = files.write_text(tmp_path / "a.txt", "old")

    def full(part) -> None:
        part.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="Free some disk space"):
        files.write_whole(path, full)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_paste_back_leaves_everything_beyond_the_feather_alone() -> None:
    original, result = noise(), 255 - noise()
    mask = np.zeros((96, 72), bool)
    mask[30:60, 20:50] = True
    out = images.paste_back(original, result, mask, 4)
    far = images.feather(mask, 4) == 0
    assert (out[far] == original[far]).all()
    assert (out[mask] == result[mask]).all()
    assert far.sum() > 3000


def test_fit_inside_keeps_the_shape_and_never_enlarges() -> None:
    assert images.fit_inside((3000, 4000)) == (768, 1024)
    assert images.fit_inside((400, 300)) == (400, 300)
    assert images.fit_inside((4000, 1000)) == (768, 192)


@pytest.mark.parametrize(
    ("name", "taken", "stem"),
    [
        ("a red sweater", (), "a-red-sweater"),
        ("00001_00", (), "00001_00"),
        ("blue/white top (new)", (), "blue-white-top-new"),
        ("../up", (), "up"),
        ("été", (), "été"),
        ("...", (), "unnamed"),
        ("x" * 300, (), "x" * 80),
        ("a top", ("a-top",), "a-top-2"),
        ("A top", ("a-top", "a-top-2"), "A-top-3"),
    ],
)
def test_a_stem_is_one_word_that_no_other_file_has(name: str, taken: tuple, stem: str) -> None:
    assert files.slug(name, taken) == stem
    assert len(f"person.jpg {stem}.jpg".split()) == 2


def test_a_digest_is_of_the_pixels_and_the_shape() -> None:
    picture = noise()
    assert images.digest(picture) == images.digest(np.asfortranarray(picture))
    assert images.digest(picture) != images.digest(picture[::-1])
    assert images.digest(picture) != images.digest(picture.reshape(72, 96, 3))
