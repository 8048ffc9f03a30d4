"""The published files: ``registry`` says what there are and where, ``checkpoints`` reads and fits them, ``downloads`` fetches them."""

from helpers.weights.checkpoints import Damaged, Mismatch, check, convert, fit, load_pickle_arrays, load_state_dict
from helpers.weights.registry import (
    Group,
    Missing,
    Record,
    as_folder,
    converted,
    find,
    folder,
    group,
    groups,
    here,
    records,
    require,
    use,
)

__all__ = [
    "Damaged",
    "Group",
    "Mismatch",
    "Missing",
    "Record",
    "as_folder",
    "check",
    "convert",
    "converted",
    "find",
    "fit",
    "folder",
    "group",
    "groups",
    "here",
    "load_pickle_arrays",
    "load_state_dict",
    "records",
    "require",
    "use",
]
