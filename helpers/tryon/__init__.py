"""Another garment on a person.

``sitting`` is a network's way there and back (``framing``, ``plausible``, ``backdrop``, ``colour``), ``result`` what comes of it; a
garment is told from its backdrop by ``surroundings``, ``props`` and ``matte``, and one that is worn by
somebody cut out or refused by ``modelled``; the engines are ``drape``, embedded, and ``fashn``, ``idm_vton``,
``viton_hd`` and ``hr_viton``, published, of which the last two share ``agnostic``, ``regions`` and ``spectral``.
"""
