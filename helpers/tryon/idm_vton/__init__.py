"""IDM-VTON: ``networks`` and ``pipeline`` (arithmetic), ``loading`` (files), ``profiles`` (memory), ``garments`` (what is kept),
``preprocess`` (masks as published), ``engine`` (photographs).
"""
