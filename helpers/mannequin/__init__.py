"""The mannequin: a parametric figure, clothes cut and draped on it, and a studio photograph of both with its ground truth.

Rooms, in the order a picture passes through them: ``prompt`` (words to an outfit), ``body``, ``pose`` and ``skin``, ``hair``,
``wardrobe`` and ``drape`` (garments), ``fabric`` (cloth), ``render`` (light and rays), ``truth`` (annotations); ``engine`` joins them.
"""
