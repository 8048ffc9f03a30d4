"""What is clicked and pressed in a notebook; nothing else here imports ipywidgets.

``asking`` asks for the mask of what is worn: ``clicker``, ``canvas``, ``choices`` and ``click_files`` make it from clicks, ``words`` draws persons from words, ``fetch`` downloads weights.
"""
