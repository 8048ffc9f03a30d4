"""HR-VITON: ``networks`` and ``pipeline`` (arithmetic), ``agnostic`` (a person without what they wear), ``loading`` (files), ``engine``
(photographs); ``discriminators`` and ``losses`` are what the first was trained against.
"""
