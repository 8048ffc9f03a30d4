"""The embedded click segmentation.

``engine`` joins ``regions`` and ``figure`` (the picture), ``evidence`` (a click) and ``outline`` (its edge).
"""
