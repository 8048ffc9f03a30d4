"""How near an extracted garment comes to its product photograph, on mannequin pairs that nobody learned from.

``python -m helpers pairs DATA -n 100 -s 288x384 --part test`` draws the pairs; ``python benchmarks/extraction.py DATA`` prints a table
of every extractor that can run here beside two baselines: the worn garment as it is cropped, and the mean of all garments.
Every picture is brought to 192x256 by its own garment's box, as products are framed. SSIM is over the picture; colour is CIEDE2000
where both are garment; the outline's IoU is of the masks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from helpers import engines, extract, load_person
from helpers.extraction.crops import Crop
from helpers.images import read_image, read_mask, write_image
from helpers.person import Person

SIZE = (192, 256)
SHOWN = 12
Picture = tuple[np.ndarray, np.ndarray]


def framed(image: np.ndarray, mask: np.ndarray) -> Picture:
    """The garment on white, uint8 (256, 192, 3), and bool of where it is."""
    crop = Crop.around(mask, SIZE)
    there = crop.take(mask.astype(np.float32))
    return crop.take(np.where(mask[..., None], image, 255).astype(np.uint8), 255), there > 0.5


def compared(made: Picture, true: Picture) -> tuple[float, float, float]:
    """SSIM, mean CIEDE2000 where both are garment, IoU."""
    both = made[1] & true[1]
    colours = [rgb2lab(image[both][None]) for image, _ in (made, true)]
    colour = float(deltaE_ciede2000(*colours).mean()) if both.any() else 100.0
    return structural_similarity(made[0], true[0], channel_axis=2), colour, both.sum() / (made[1] | true[1]).sum()


def extracted(person: Person, worn: np.ndarray, engine: str) -> Picture:
    """By an engine that is told joints, labels and where the garment is."""
    garment = extract(Person(person.image, person.keypoints, person.labels), mask=worn, engine=engine)
    assert garment.mask is not None
    return framed(garment.image, garment.mask)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--sheet", type=Path, help="where a picture of the first pairs is written")
    asked = parser.parse_args()
    folder = asked.data / "test"
    names = sorted(path.stem for path in (folder / "image").glob("*.jpg"))[: asked.count]
    people = [load_person(folder / f"image/{name}.jpg") for name in names]
    worn = [read_mask(folder / f"worn-mask/{name}.png") for name in names]
    true = [framed(read_image(folder / f"cloth/{name}.jpg"), read_mask(folder / f"cloth-mask/{name}.jpg")) for name in names]
    mean = np.mean([image for image, _ in true], 0).round().astype(np.uint8), np.mean([mask for _, mask in true], 0) > 0.5
    ways: dict[str, Callable[[int], Picture]] = {
        name: lambda i, name=name: extracted(people[i], worn[i], name) for name in engines.names("extract")
    }
    ways["cropped as worn"] = lambda i: framed(people[i].image, worn[i])
    ways["mean garment"] = lambda i: mean
    print("| | SSIM | colour (CIEDE2000) | outline IoU | CPU-s |\n|---|---:|---:|---:|---:|")
    sheet = [[person.image for person in people[:SHOWN]], [image for image, _ in true[:SHOWN]]]
    for title, way in ways.items():
        started = time.process_time()
        made = [way(i) for i in range(len(names))]
        seconds = (time.process_time() - started) / len(names)
        ssim, colour, iou = np.mean([compared(one, other) for one, other in zip(made, true, strict=True)], 0)
        print(f"| {title} | {ssim:.3f} | {colour:.1f} | {iou:.3f} | {seconds:.2f} |", flush=True)
        sheet.append([image for image, _ in made[:SHOWN]])
    if asked.sheet:
        write_image(asked.sheet, np.vstack([np.hstack([cv2.resize(image, SIZE) for image in row]) for row in sheet]))


if __name__ == "__main__":
    main()
