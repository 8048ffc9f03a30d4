import json

import numpy as np
import pytest

from helpers import Garment, Person, load_garment, load_person
from helpers.images import write_image, write_mask
from helpers.joints import openpose_picture
from helpers.labels import BODY_25, CIHP


@pytest.fixture
def person() -> Person:
    rng = np.random.default_rng(1)
    shape = (128, 96)
    silhouette = np.zeros(shape, bool)
    silhouette[10:120, 30:70] = True
    normals = np.zeros((*shape, 3), np.float32)
    normals[silhouette] = (0, 0, 1)
    keypoints = np.round(rng.uniform(1, 90, (25, 3)), 2).astype(np.float32)
    keypoints[:, 2] = 1
    return Person(
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
        keypoints=keypoints,
        labels=np.where(silhouette, 5, 0).astype(np.uint8),
        densepose=np.where(silhouette[..., None], (2, 100, 200), 0).astype(np.uint8),
        depth=np.where(silhouette, 3.25, 0).astype(np.float32),
        normals=normals,
        mask=silhouette,
        garments={"0 t-shirt": silhouette},
        scene={"seed": 3},
    )


def test_a_person_comes_back_as_it_was_saved(tmp_path, person: Person) -> None:
    back = load_person(person.save(tmp_path, "someone"))
    for name in ("image", "labels", "densepose", "mask"):
        assert (getattr(back, name) == getattr(person, name)).all(), name
    assert np.allclose(back.keypoints, person.keypoints, atol=1e-2)
    assert np.allclose(back.depth, person.depth, atol=1e-3)
    assert np.allclose(back.normals, person.normals, atol=0.01)
    assert (back.garments["0 t-shirt"] == person.garments["0 t-shirt"]).all()
    assert back.scene == {"seed": 3}


def test_the_layout_is_viton_hds(tmp_path, person: Person) -> None:
    person.save(tmp_path, "00001_00")
    for file in (
        "image/00001_00.jpg",
        "image-parse-v3/00001_00.png",
        "openpose_json/00001_00_keypoints.json",
        "openpose_img/00001_00_rendered.png",
        "image-densepose/00001_00.jpg",
    ):
        assert (tmp_path / file).is_file(), file
    pose = json.loads((tmp_path / "openpose_json/00001_00_keypoints.json").read_text())
    assert len(pose["people"][0]["pose_keypoints_2d"]) == 75


def test_a_plain_photograph_has_no_annotations(tmp_path, person: Person) -> None:
    loaded = load_person(write_image(tmp_path / "me.png", person.image))
    assert loaded.labels is None
    assert loaded.keypoints is None


def test_annotations_of_another_size_are_refused(person: Person) -> None:
    with pytest.raises(ValueError, match="person labels"):
        Person(person.image, labels=np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"BODY_25"):
        Person(person.image, keypoints=np.zeros((18, 3), np.float32))


def test_resizing_takes_the_annotations_along(person: Person) -> None:
    large = person.resized((192, 256))
    assert large.image.shape == (256, 192, 3)
    assert set(np.unique(large.labels)) == {0, 5}
    assert np.allclose(large.keypoints[:, :2], 2 * person.keypoints[:, :2], atol=1e-3)
    assert abs(large.mask.mean() - person.mask.mean()) < 0.02


def test_a_garment_finds_its_mask_beside_it_or_in_its_transparency(tmp_path, person: Person) -> None:
    (tmp_path / "cloth").mkdir()
    path = Garment(person.image, person.mask, "lower", "skirt").save(tmp_path)
    assert (load_garment(path, "lower").mask == person.mask).all()
    assert load_garment(path, "lower").inside is None
    inside = person.mask & (np.arange(128) < 40)[:, None]
    path = Garment(person.image, person.mask, "lower", "lined", inside).save(tmp_path)
    assert (load_garment(path, "lower").inside == inside).all()
    rgba = np.dstack([person.image, person.mask.astype(np.uint8) * 255])
    assert (load_garment(write_image(tmp_path / "cut.png", rgba)).mask == person.mask).all()
    assert load_garment(write_image(tmp_path / "plain.png", person.image)).mask is None


def test_a_garments_words_are_saved_with_it(tmp_path, person: Person) -> None:
    path = Garment(person.image, person.mask, name="shirt", words="a red polo shirt, ärmellos").save(tmp_path)
    assert load_garment(path).words == "a red polo shirt, ärmellos"
    Garment(person.image, person.mask, name="shirt").save(tmp_path)
    assert load_garment(path).words == "", "those of the one that was saved before are gone"
    other = write_image(tmp_path / "data/cloth/00001.jpg", person.image)
    assert load_garment(other).words == ""
    (tmp_path / "data/cloth-words").mkdir()
    (tmp_path / "data/cloth-words/00001.txt").write_text("white lace top\n", encoding="utf-8")
    assert load_garment(other).words == "white lace top"
    (tmp_path / "data/cloth-words/00001.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"garment words: .*00001\.txt.*UTF-8.*do without it"):
        load_garment(other)


def test_a_wrong_category_is_named(person: Person) -> None:
    with pytest.raises(ValueError, match="'hat'"):
        Garment(person.image, category="hat")
    with pytest.raises(ValueError, match="mask is empty"):
        Garment(person.image, np.zeros(person.image.shape[:2], bool))


def test_a_mask_file_that_is_a_photograph_is_refused(tmp_path, person: Person) -> None:
    (tmp_path / "cloth").mkdir()
    write_image(tmp_path / "cloth" / "a.jpg", person.image)
    write_image(tmp_path / "cloth-mask" / "a.jpg", person.image)
    with pytest.raises(ValueError, match="garment mask"):
        load_garment(tmp_path / "cloth" / "a.jpg")
    write_mask(tmp_path / "cloth-mask" / "a.jpg", person.mask)
    assert load_garment(tmp_path / "cloth" / "a.jpg").mask.any()


def test_a_pose_is_drawn_as_openpose_draws_it() -> None:
    """Red spine, then discs over it; colours at six tenths where they lie on black, as in the pictures of VITON-HD."""
    keypoints = np.zeros((25, 3), np.float32)
    keypoints[BODY_25.index("neck")] = (384, 300, 0.8)
    keypoints[BODY_25.index("mid-hip")] = (384, 700, 0.7)
    keypoints[BODY_25.index("nose")] = (384, 100, 0.04)  # too unsure to be drawn
    picture = openpose_picture(keypoints, (768, 1024))
    assert picture.shape == (1024, 768, 3)
    assert picture[500, 384].tolist() == [153, 0, 0]
    assert picture[300, 384 + 7].tolist() == [153, 0, 0]
    assert picture[304, 384].tolist() == [214, 0, 0]  # disc and bone
    assert not picture[300, 384 + 9].any()  # a disc of 7.68 pixels
    assert picture[500, 384 + 6].any()  # a bone of 6.4 pixels
    assert not picture[500, 384 + 7].any()
    assert not picture[:290].any()


@pytest.mark.parametrize("seen", [0, 1])
def test_a_pose_without_bones_can_be_drawn(seen: int) -> None:
    keypoints = np.zeros((25, 3), np.float32)
    keypoints[:seen] = (-20, 70, 1)  # outside the picture
    assert not openpose_picture(keypoints, (64, 96)).any()


def test_what_is_worn_is_known_from_labels_or_from_garments(person: Person) -> None:
    assert (person.worn("upper") == (person.labels == 5)).all()
    assert not person.worn("lower").any()
    assert Person(person.image).worn("dress") is None
    assert Person(person.image).known_garments() == {}
    labels = np.zeros((128, 96), np.uint8)
    labels[20:60, 30:60], labels[60:100, 30:60] = CIHP.index("upper-clothes"), CIHP.index("skirt")
    assert list(Person(person.image, labels=labels).known_garments()) == ["upper", "lower"]
    below = {
        "shoes": np.zeros_like(labels, bool),
        "skirt": labels == CIHP.index("skirt"),
        "top": labels == CIHP.index("upper-clothes"),
    }
    assert list(Person(person.image, garments=below).known_garments()) == ["top", "skirt"]


def test_a_garment_of_several_words_is_saved_as_one(tmp_path, person: Person) -> None:
    path = Garment(person.image, person.mask, name="a red sweater").save(tmp_path)
    assert path.name == "a-red-sweater.jpg"
    assert load_garment(path).mask is not None
