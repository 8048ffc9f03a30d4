"""Clicks where colour misleads: parts of one garment that contrast, neighbours of one colour, cloth like skin, and what a click takes away.

``python benchmarks/segment_hard.py`` draws mannequins in outfits that are so, and recolours parts where words cannot choose them (sleeves,
collar and cuffs, where the body-part index has them), so that the truth stays exact. Prints a markdown table, ``--each`` also one row an
outfit, ``--pictures FOLDER`` what was found after two clicks. ``--photos FOLDER`` takes arms away in the photographs of a VITON-HD ``test``
folder (``image/``, ``image-parse/`` with CIHP labels) instead.

Columns: IoU after one and two clicks of the field's protocol, the mean and the worst; for clicks that take away, the IoU of what should
remain, how much of what was clicked on is gone, and how much of the rest was lost.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
from click_protocol import run_protocol
from PIL import Image
from segment_clicks import photographs, table
from tqdm import tqdm

from helpers import annotate, engines, generate, segment
from helpers.images import write_image
from helpers.labels import DENSEPOSE_PARTS, select
from helpers.person import Person
from helpers.segmentation import iou
from helpers.segmentation.clicks import next_click
from helpers.segmentation.superpixel.body import pieces

SIZE = (576, 768)
DARK, LIGHT = (14.0, 1.0, -4.0), (93.0, 0.0, 2.0)  # CIE Lab


@dataclass(frozen=True)
class Case:
    """Outfits that mislead in one way: ``wear`` what each figure wears, ``garment`` what is clicked on, ``skin`` of all of them.

    recolour: which pixels, bool (H, W), of a person get the colour ``colour`` in Lab
    """

    name: str
    wear: tuple[str, ...]
    garment: str = "upper"
    skin: tuple[str, ...] = ("fair", "light", "medium", "tan", "brown", "dark")
    recolour: Callable[[Person], np.ndarray] | None = None
    colour: tuple[float, float, float] = DARK


def on_parts(person: Person, *words: str) -> np.ndarray:
    """bool (H, W): whatever lies on the body's parts whose names hold one of ``words``."""
    wanted = [number for number, name in enumerate(DENSEPOSE_PARTS) if any(word in name for word in words)]
    return np.isin(person.densepose[..., 0], wanted)


def sleeves(person: Person) -> np.ndarray:
    """What is worn above, on the arms."""
    return person.part("upper") & on_parts(person, "arm")


def collar_and_cuffs(person: Person) -> np.ndarray:
    """What is worn above, next to the neck and next to the hands."""
    bare = (person.part("neck") | person.part("face") | on_parts(person, "hand")).astype(np.uint8)
    reach = 2 * round(0.011 * person.image.shape[0]) + 1
    near = cv2.dilate(bare, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
    return person.part("upper") & near


CASES = (
    Case("dark sleeves", ("white t-shirt and blue jeans", "yellow sweater and grey trousers", "light grey long-sleeve and black skirt"),
         recolour=sleeves),
    Case("light sleeves", ("navy t-shirt and beige trousers", "dark green sweater and blue jeans"), recolour=sleeves, colour=LIGHT),
    Case("white collar and cuffs", ("navy long-sleeve and beige trousers", "red shirt and blue jeans", "black sweater and grey skirt"),
         recolour=collar_and_cuffs, colour=LIGHT),
    Case("black on black", ("black t-shirt and black trousers", "black long-sleeve and black jeans", "black tank top and black shorts")),
    Case("black under black", ("black t-shirt and black trousers", "black sweater and black jeans"), garment="lower"),
    Case("white on white", ("white shirt and white trousers", "white t-shirt and white shorts")),
    Case("cloth like skin", ("beige t-shirt and blue jeans", "peach tank top and black trousers", "camel long-sleeve and black jeans"),
         skin=("light", "medium", "tan")),
    Case("cord like skin", ("white t-shirt and tan shorts", "navy top and camel mini skirt", "black t-shirt and beige shorts"),
         garment="lower", skin=("medium", "tan", "light")),
)  # fmt: skip


def drawn(case: Case) -> Iterator[tuple[str, Person]]:
    """The case's figures, recoloured, with their truth."""
    for number, wear in enumerate(case.wear):
        words = f"a woman with {case.skin[number % len(case.skin)]} skin in a {wear}, {('standing', 'relaxed')[number % 2]}"
        person = generate(words, engine="mannequin", seed=number, size=SIZE)
        if case.recolour is not None:
            person = replace(person, image=_recoloured(person.image, case.recolour(person), case.colour))
        yield words, person


def _recoloured(image: np.ndarray, where: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """``image`` with another colour ``where`` (H, W), its folds kept."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab[where] = np.array(colour) + 0.6 * (lab[where] - np.median(lab[where], axis=0))
    soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 0.6)[..., None]
    other = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255
    return np.round(soft * other + (1 - soft) * image).astype(np.uint8)


def clicked(case: Case, person: Person) -> tuple[list[float], np.ndarray]:
    """IoU after one and two clicks, and the mask after two."""
    truth = person.part(case.garment)
    seen: list[np.ndarray] = []

    def predict(points: Sequence[tuple]) -> np.ndarray:
        seen.append(segment(person.image, points))
        return seen[-1]

    trial = run_protocol(predict, truth, case.name, 2)
    return [trial.at(1), trial.at(2)], seen[-1]


Taking = tuple[str, str, np.ndarray, np.ndarray, np.ndarray]
"""Whose, what one click takes away, the picture, the mask it is taken from, and what should go, bool (H, W)."""


def takings(words: str, person: Person) -> Iterator[Taking]:
    """Arms off their garment, and sleeves off theirs."""
    upper, arms = person.part("upper"), person.part("arms")
    for side in ("left", "right"):
        limb = on_parts(person, f"{side}-upper-arm", f"{side}-lower-arm", f"{side}-hand")
        for name, gone, start in (("an arm", arms & limb, upper | arms), ("a sleeve", upper & limb, upper)):
            if gone.mean() > 0.004:
                yield words, name, person.image, start, gone


def photographed(folder: Path) -> Iterator[Taking]:
    """Arms off the garments of photographs."""
    for group, name, image, upper in photographs(folder):
        if group.endswith("upper"):
            labels = np.array(Image.open(folder / "image-parse" / f"{name.split()[0]}.png"))
            arms = [select(labels, [f"{side}-arm"], "cihp") for side in ("left", "right")]
            for side, arm in zip(("left", "right"), arms, strict=True):
                if arm.mean() > 0.004:
                    yield f"{name.split()[0]}, {side}", "an arm", image, upper | arms[0] | arms[1], arm


def taken_away(takings: Iterable[Taking]) -> Iterator[list]:
    """Whose, what, IoU of what should remain, how much of what should go is gone, how much of the rest was lost."""
    for words, name, image, start, gone in takings:
        left, rest = left_of(image, start, gone), start & ~gone
        yield [words, name, iou(left, rest), 1 - (left & gone).sum() / gone.sum(), (rest & ~left).sum() / rest.sum()]


def left_of(image: np.ndarray, start: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """The mask ``start`` after a click in the middle of what should go, as a photograph's person would be known."""
    seen = annotate(image, needs=("labels", "densepose"))
    engine = engines.load("segment", "superpixel")
    engine.set_image(image)
    return engine.predict([next_click(start & ~gone, start)], start=start, known=pieces(seen.labels, seen.densepose[..., 0]))


def table_of(taken: Sequence[list], each: bool) -> str:
    """Markdown of :func:`taken_away`."""
    lines = []
    for name in dict.fromkeys(row[1] for row in taken):
        of_name = [row for row in taken if row[1] == name]
        scores = np.array([row[2:] for row in of_name])
        lines.append([name, str(len(of_name)), *(f"{value:.3f}" for value in (*scores.mean(0), scores[:, 0].min()))])
        if each:
            lines += [[words, "1", *(f"{value:.3f}" for value in values), ""] for words, _, *values in of_name]
    return table(lines, ("one click takes away", "of", "IoU of the rest", "gone", "lost besides", "worst IoU"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="one row an outfit as well")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write what was found")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="a VITON-HD test folder with image/ and image-parse/")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.photos:
        print(table_of(list(taken_away(photographed(arguments.photos))), arguments.each))
        return
    rows, taken = [], []
    for case in tqdm(CASES):
        found = []
        for number, (words, person) in enumerate(drawn(case)):
            values, mask = clicked(case, person)
            found.append((words, values))
            taken += taken_away(takings(words, person))
            if arguments.pictures:
                both = np.hstack([person.image, np.where(mask[..., None], person.image, person.image // 4 + 150)])
                write_image(arguments.pictures / f"{case.name.replace(' ', '-')}-{number}.png", both)
        ones, twos = zip(*(values for _, values in found), strict=True)
        rows.append([case.name, str(len(found)), f"{mean(ones):.3f}", f"{mean(twos):.3f}", f"{min(twos):.3f}"])
        if arguments.each:
            rows += [[words, "1", *(f"{value:.3f}" for value in values), ""] for words, values in found]
    print(table(rows, ("where colour misleads", "outfits", "@1", "@2", "worst @2")))
    print()
    print(table_of(taken, arguments.each))


if __name__ == "__main__":
    main()
