"""The embedded try-on, a 2-D warp.

``engine`` joins ``product`` (the garment's picture), ``wearer`` (what is seen of the person), ``silhouette`` (outlines and landmarks),
``compatibility`` (what can be matched), ``parts`` and ``warp`` (where cloth goes) and ``light``.
"""
