"""The embedded click segmentation.

``engine`` joins ``regions`` and ``figure`` (the picture), ``evidence`` (a click), ``body`` (what is known of the
person) and ``outline`` (its edge).
"""
