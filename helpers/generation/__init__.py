"""Generation: what stands around the engines that draw a clothed person.

``compose`` makes a published engine's prompt of the words, ``realvisxl`` draws it, from a checkpoint that ``sdxl_file`` reads; ``drawing``
is what 01 asks of any engine. ``picture_check`` looks at finished photographs, where its weights are here.
"""
