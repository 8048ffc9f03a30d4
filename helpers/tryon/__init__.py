"""Another garment on a person.

``sitting`` is what every network shares: ``framing`` (a photograph in the network's frame and back), ``plausible`` (can this mask be a
garment), ``colour``, and the ``result``. The engines are ``drape``, embedded, and ``idm_vton``, published.
"""
