"""Remake what hangs on the dressing room's wall and who stands in its gallery: helpers/app/stock, drawn by the mannequin from words."""

from __future__ import annotations

import shutil
from pathlib import Path

from helpers import generate, product
from helpers.files import slug, write_text
from helpers.images import write_image

STOCK = Path(__file__).resolve().parent.parent / "helpers" / "app" / "stock"
SIZE = (480, 640)  # of a garment's picture
SEED = 4
GARMENTS = {
    "upper": (
        "a navy and white striped crew neck t-shirt",
        "a red and white checked shirt",
        "a forest green long-sleeved sweater",
        "a white linen shirt",
        "a mustard crew neck t-shirt",
        "a black turtleneck",
        "a coral crew neck crop top",
        "a light blue denim shirt",
    ),
    "lower": ("dark blue jeans", "beige chinos", "a red and white checked mini skirt", "a black midi skirt"),
    "dress": ("a navy dress with white dots", "an emerald green dress", "a yellow sundress"),
}
PEOPLE = (
    "a light-skinned woman with a bob in a grey t-shirt and blue jeans",
    "a dark-skinned man in a white crew neck t-shirt and beige chinos",
    "a dark-skinned woman with curly hair in a beige tank top and black mini skirt",
    "a plus size woman with long hair in a light blue t-shirt and navy trousers",
    "a light-skinned man with short hair in a grey sweater and dark jeans",
    "a woman with red hair in a plain green dress",
)


def main() -> None:
    """Draw everything that is not there yet; delete a folder to draw it anew."""
    for category, wanted in GARMENTS.items():
        for words in wanted:
            if not (STOCK / category / "cloth" / f"{slug(words)}.jpg").exists():
                print(product(words, seed=SEED, size=SIZE).save(STOCK / category, words))
        for left in (STOCK / category / "saved", STOCK / category / ".lock"):  # the wall is read as any folder in that layout
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    for place, words in enumerate(PEOPLE):
        if not (path := STOCK / "people" / f"{slug(words)}.jpg").exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            print(write_image(path, generate(words, seed=SEED + place).image))
            write_text(path.with_suffix(".txt"), words)


if __name__ == "__main__":
    main()
