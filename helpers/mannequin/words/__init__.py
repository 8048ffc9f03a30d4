"""Words to an outfit and back.

``vocabulary`` (the words, as data) and ``lexicon`` (phrases and their readings) are read by ``prompt``, which cuts a text into ``tokens``
and makes a ``request`` of them (``attachment``); ``choose`` completes it by the seed, with the colours of ``harmony``; ``describe`` says an outfit in words that are
read back.
"""
