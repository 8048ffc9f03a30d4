"""The embedded try-on, a 2-D warp.

``product`` tells the garment from its picture (``neckline``), ``wearer`` what is seen of the person; both have a ``silhouette``, whose
``landmarks`` are found by the same code. ``compatibility`` says what can be matched and ``parts`` which points go where (``polylines``);
``laying`` puts the cloth there (``warp``), ``compose`` gives it the old cloth's ``light``. ``engine`` joins them.
"""
