"""HR-VITON: ``networks`` and ``pipeline`` (arithmetic), ``agnostic`` (a person without what they wear), ``loading`` (files), ``engine``
(photographs).
"""
