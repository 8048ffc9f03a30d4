"""Remake docs/gallery.md: run the notebooks on the mannequin and keep small copies of their figures."""

from __future__ import annotations

import tempfile
from pathlib import Path

import papermill

from helpers.files import write_text
from helpers.images import fit_inside, read_image, resize, write_image

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = DOCS.parent / "notebooks"
MOST_BYTES = 500_000
PAGES = {
    "04_full_demo": {
        "strip": "Words, a click, a mask, a garment, the result.",
        "garments": "One person, several garments.",
    },
    "01_generate": {
        "person": "A person from words.",
        "truth": "What is known about it, from the same rays.",
        "recoloured": "The same drape in other cloth.",
        "people": "Builds, ages, skin tones, hair and poses.",
        "wardrobe": "The wardrobe as product photographs.",
    },
    "02_segment": {
        "click_by_click": "A mask growing click by click.",
        "garments": "Several garments, one after the other.",
    },
    "03_try_on": {
        "result": "Another garment on the same person.",
        "steps": "The drape step by step.",
    },
    "05_own_photograph": {
        "understood": "What is seen in a picture that comes without a word.",
        "parts": "Its parts, each a mask.",
        "cut_out": "Without what is behind.",
    },
    "06_dressing_assistant": {
        "agnostic": "What a network is shown of somebody: no top, no arms.",
        "result": "Another top, by the steps of VITON-HD.",
    },
    "07_hr_viton": {
        "densepose": "The surface of the body.",
        "others": "Men, trousers and harder poses.",
    },
    "09_extract": {
        "flat": "What somebody wears, laid flat; violet was made up.",
        "result": "And on the next person.",
        "lesson": "A small network that learns the same, after ever more steps.",
    },
    "10_figure_3d": {
        "views": "One picture of a try-on as a figure in three dimensions; the back is continued.",
    },
}


def main() -> None:
    """Run the notebooks in order and write the pictures and the page."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(PAGES):
            print(f"running {name}")
            run = "demo" if name == "04_full_demo" else "gallery"
            path = str(NOTEBOOKS / f"{name}.ipynb")
            parameters = {"outputs": folder, "run": run}
            papermill.execute_notebook(
                path, f"{folder}/{name}.ipynb", parameters, progress_bar=False, kernel_name="python3", cwd=folder
            )
        lines = [
            "# Gallery",
            "",
            "Everything here was made by the notebooks from the mannequin; `make gallery` makes it again.",
            "",
        ]
        for name, figures in PAGES.items():
            run = Path(folder) / ("demo" if name == "04_full_demo" else "gallery")
            lines += [f"## {name}", ""]
            for figure, caption in figures.items():
                small(run / "figures" / name / f"{figure}.png", DOCS / "gallery" / f"{name}-{figure}.jpg")
                lines += [caption, "", f"![{caption}](gallery/{name}-{figure}.jpg)", ""]
        lines += ["And turning.", "", "![The figure turning](gallery/10_figure_3d-turning.webp)", ""]
        moving = (Path(folder) / "gallery/images/turning.webp").read_bytes()
        if len(moving) >= MOST_BYTES:
            raise ValueError(f"turning.webp is {len(moving)} bytes; make it smaller in 10_figure_3d.")
        (DOCS / "gallery/10_figure_3d-turning.webp").write_bytes(moving)
        write_text(DOCS / "gallery.md", "\n".join(lines))


def small(source: Path, target: Path) -> None:
    """A copy at most 1600 pixels wide and under 500 kB."""
    picture = read_image(source)
    for width in (1600, 1300, 1000):
        size = fit_inside((picture.shape[1], picture.shape[0]), (width, 2000))
        write_image(target, resize(picture, size))
        if target.stat().st_size < MOST_BYTES:
            return
    raise ValueError(f"{target} is {target.stat().st_size} bytes even at {width} pixels; make the figure simpler.")


if __name__ == "__main__":
    main()
