"""One photograph to a closed, textured figure.

``model`` is the parametric body that is fitted, ``fitting`` fits its shape and pose to joints and outline, ``solid`` gives it the outline
of its clothes and hair as one closed surface, drawn in a ``grid``, with ``cloth`` stretched over it; ``layers`` says which colours go on
where the photograph does not see, ``charts`` cuts the surface where a texture needs it, ``texture`` lays the colours on, and ``engine``
joins them.
"""
