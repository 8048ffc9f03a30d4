"""What is clicked and pressed in a notebook; nothing else here imports ipywidgets.

``clicker`` and ``choices`` make masks from clicks, ``words`` draws persons from words, ``fetch`` downloads weights.
"""
