"""A picture to a figure in three dimensions.

``figure`` is what comes out, made of one ``mesh`` or more. ``true_mesh`` is the engine of figures that are known to the millimetre,
``relief`` that of a photograph, and ``triposr`` the published engine. ``finish`` is done to surfaces, ``atlas`` makes textures; ``formats``
writes files, ``views`` takes pictures from all sides, ``turntable`` videos, and ``viewer`` is a page in which a figure is turned by hand.
"""
