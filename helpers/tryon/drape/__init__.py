"""The embedded try-on, a 2-D warp.

``reading`` tells the garment from its picture (``neckline``, ``product``), ``wearer`` what is seen of the person, ``strands`` where their
hair ends, and ``body`` where the limbs are; garment and person have a ``silhouette``, whose ``landmarks`` are found by the same code.
``compatibility`` says what can be matched and ``parts`` and ``legs`` which points go where (``polylines``); ``laying`` puts the cloth
there (``warp``), ``compose`` gives it the old cloth's ``light``, and keeps face, hair and hands as they are; ``confidence`` says how far
all that can be trusted. ``engine`` joins them.
"""
