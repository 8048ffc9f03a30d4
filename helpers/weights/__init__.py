"""The published files. Each module knows only those before it:

``checkpoints``  what a file really is, and its tensors: read without running code, fitted, converted
``registry``     which files there are (``weights/manifest.toml``), where they lie and whether they are here
``verify``       the comparison with what was published: size and hash
``downloads``    fetching, resumed and checked

What an engine needs of the first two is offered here; the other two are imported by name where something is compared or fetched.
"""

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
    human_size,
    record,
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
    "human_size",
    "load_pickle_arrays",
    "load_state_dict",
    "record",
    "records",
    "require",
    "use",
]
