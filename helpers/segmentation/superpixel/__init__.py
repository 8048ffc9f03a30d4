"""The embedded click segmentation.

``engine`` joins ``regions`` and ``figure`` (the picture), ``evidence`` and ``graph`` (a click) and ``outline`` (its edge).
"""
