"""Masks from clicks: ``clicks`` (points, without any widget), ``paint`` (looking at masks), and the engines: ``superpixel``, embedded, and
``sam`` with ``sam_decoder`` and ``mobile_sam``, published.

The names below are read when they are first asked for, so that an engine does not load what only figures need.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from helpers.segmentation.clicks import (
        default_points,
        garment_first,
        garment_under,
        iou,
        parse_points,
        protocol_clicks,
        require_points,
    )
    from helpers.segmentation.paint import around, growth, painted, views

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "clicks": (
            "default_points",
            "garment_first",
            "garment_under",
            "iou",
            "parse_points",
            "protocol_clicks",
            "require_points",
        ),
        "paint": ("around", "growth", "painted", "views"),
    },
)

__all__ = [
    "around",
    "default_points",
    "garment_first",
    "garment_under",
    "growth",
    "iou",
    "painted",
    "parse_points",
    "protocol_clicks",
    "require_points",
    "views",
]
