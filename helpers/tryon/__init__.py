"""Another garment on a person: ``framing`` and ``plausible`` before an engine runs, ``result`` after it; the engines are ``drape``, embedded,
and ``idm_vton``, published.
"""
