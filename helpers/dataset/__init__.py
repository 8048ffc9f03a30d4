"""A folder of one's own photographs as a data set of VITON-HD and HR-VITON.

``prepare`` makes and resumes it; ``cropping`` puts a person into the upright frame, ``doubts`` says what of it should be looked at, and
``report`` writes that down with a contact sheet. ``stepwise`` goes the same way one annotation at a time, as the notebooks show it, and
``cases`` tries several people and garments.
"""
