"""The published files. Each module knows only those before it:

``formats``      what a file really is, told by its structure
``pickles``      arrays and tensors in pickles, followed without running anything
``checkpoints``  a checkpoint's tensors: read, fitted, converted
``digests``      sha256 of files, computed once
``registry``     which files there are (``weights/manifest.toml``), where they lie and whether they are here
``verify``       the comparison with what was published: size and hash
``web``          what a server may answer
``packages``     files that come inside a package's wheel
``underway``     what grows until it is whole and gets its name
``downloads``    fetching, resumed and checked
``archives``     the same files out of archives that were downloaded by hand

What an engine needs is offered here; the last six are imported by name where something is compared or fetched.
"""

from helpers.weights.checkpoints import Mismatch, convert, fit, load_pickle_arrays, load_state_dict
from helpers.weights.digests import cache_folder
from helpers.weights.formats import Damaged, check, read_config, read_json, read_shapes, reading
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
    tiny,
    use,
)

__all__ = [
    "Damaged",
    "Group",
    "Mismatch",
    "Missing",
    "Record",
    "as_folder",
    "cache_folder",
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
    "read_config",
    "read_json",
    "read_shapes",
    "reading",
    "record",
    "records",
    "require",
    "tiny",
    "use",
]
