"""VITON-HD as published: ``networks``, the ``agnostic`` person they are shown, the ``pipeline`` through them, and the ``engine`` around it
that goes from photographs to photographs."""
