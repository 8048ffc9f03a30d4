"""FASHN VTON v1.5: ``networks`` and ``pipeline`` (arithmetic), ``frame`` (pictures for the network, and back), ``engine`` (photographs)."""
