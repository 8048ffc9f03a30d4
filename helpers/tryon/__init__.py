"""Another garment on a person.

``framing`` and ``plausible`` come before an engine, ``colour`` and ``result`` after it; the engines are ``drape``, embedded, and
``idm_vton``, published.
"""
