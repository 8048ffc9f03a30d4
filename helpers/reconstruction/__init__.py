"""A picture to a figure in three dimensions.

``triposr`` is the published engine's network, its rays and its surface.
"""
