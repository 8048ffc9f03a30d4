"""What a photograph shows, one file a network: ``openpose`` (with ``skeleton``, from its maps to people), ``parsing`` (classes) and
``densepose`` (with ``detections``; ``detectron2`` runs the same). ``annotator`` is the engine in which they agree on one person.
"""
