"""The figure: ``template`` (the base mesh and its rig), ``shape`` and ``pose`` make a ``figure`` of it; ``skin`` and ``eyes`` clothe it in
colour; ``strands`` and ``hairstyles`` grow ``hair``.
"""
