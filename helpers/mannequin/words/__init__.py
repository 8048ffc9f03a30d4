"""Words to an outfit and back.

``vocabulary`` (the words, as data) and ``lexicon`` (phrases and their readings) are read by ``prompt``, which cuts a text into ``tokens``
and makes a ``request`` of them (``attachment``); ``choose`` completes it by the seed, with clothes of the ``wardrobe`` and colours in
``harmony``; ``describe`` says an outfit in words that are read back. What a kind of garment or cloth is called, and how likely it is,
stands in its record (``helpers.mannequin.garments``, ``fabrics``).
"""
