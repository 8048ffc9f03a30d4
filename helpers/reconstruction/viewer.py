"""A figure to be turned by hand in a notebook: a page of its own within the cell, which needs no network.

The page is trimesh's, which brings three.js with it. JupyterLab, Voilà and Colab show it; a saved notebook that is not trusted may not, so
notebooks show pictures beside it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from trimesh.viewer.notebook import scene_to_html

from helpers import checks
from helpers.reconstruction.formats import scene
from helpers.reconstruction.mesh import Mesh


def page(meshes: Sequence[Mesh]) -> str:
    """A whole HTML page that shows a figure, without anything from elsewhere: drag turns it, the wheel comes nearer."""
    return scene_to_html(scene(meshes, compact=True))


def embedded(meshes: Sequence[Mesh], height: int = 560) -> str:
    """The page as a frame within another one, ``height`` pixels tall; what runs in it cannot reach the page around."""
    height = checks.whole(height, "height", 100, 4000)
    return (
        f'<iframe title="3-D figure: drag to turn" sandbox="allow-scripts" style="width:100%;height:{height}px;border:0" '
        f'srcdoc="{html.escape(page(meshes), quote=True)}"></iframe>'
    )
