"""What is clicked and pressed in a notebook; nothing else here imports ipywidgets.

``asking`` asks what is worn, with the ``clicker`` and its parts ``canvas``, ``choices`` and ``click_files``; ``words`` draws persons from
words, ``fetch`` downloads weights, and ``panel`` is what both are made of; ``upload`` takes pictures of one's own,
and ``menu`` offers those of a list or a folder.
"""
