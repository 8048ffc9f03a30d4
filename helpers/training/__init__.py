"""Training the clothes extractor on pairs of a worn garment and its product photograph.

``extractor`` is the loop; ``pairset`` reads and disturbs the pairs, ``checkpoint`` keeps everything that a training goes on from,
``curves`` writes down how it goes; ``lesson`` is one small enough to watch.
"""
