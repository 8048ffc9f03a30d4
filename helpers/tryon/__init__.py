"""Another garment on a person.

``framing`` and ``plausible`` come before an engine, ``result`` after it; the engines are ``drape``, embedded, and ``idm_vton``, published.
"""
