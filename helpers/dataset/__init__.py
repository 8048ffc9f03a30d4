"""Data sets in the layout of VITON-HD and HR-VITON: a folder of one's own photographs, or as many mannequins as are asked for.

``prepare`` makes and resumes it; ``cropping`` puts a person into the upright frame, ``doubts`` says what of it should be looked at, and
``report`` writes that down with a contact sheet. ``stepwise`` goes the same way one annotation at a time, as the notebooks show it, and
``cases`` tries several people and garments.

``pairs`` draws mannequins beside their garments' product photographs: ``figures`` dresses and photographs them, ``chance`` says what
differs. ``down_sample`` makes a data set small, and ``inspection`` looks one through.
"""
