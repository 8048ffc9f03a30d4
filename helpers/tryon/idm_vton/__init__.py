"""IDM-VTON: ``networks`` and ``pipeline`` (arithmetic), ``loading`` (files), ``profiles`` (memory), ``garments`` (what is kept),
``preprocess`` (from a person's annotations to what the networks are told), ``engine`` (photographs).
"""
