"""Garments, from the cutting table to the picture.

``form`` is the dress form; ``patterns`` cut (``clip``) each kind on it; ``tailor`` and ``flatten`` make a ``sheet`` of it that ``simulate``
drapes; ``trims``, ``collars``, ``hood``, ``fronts``, ``patches``, ``straps``, ``skirts`` and ``shoes`` are what goes with it;
``assembly`` joins them, ``sewing`` makes one garment, ``wardrobe`` dresses a body.
"""
