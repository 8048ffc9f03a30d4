"""What a photograph shows: joints, clothing classes, body surface; one file a network.

``annotator`` joins ``openpose`` (whose maps ``skeleton`` reads), ``parsing`` (SCHP) and ``densepose`` (whose people are ``detections``);
``detectron2`` runs DensePose in its place where that is installed. ``mediapipe`` finds people on any CPU, and ``landmarks`` makes the
field's joints of what it finds; from these ``derived`` makes classes and, with ``surface``, body parts, by the ``evidence`` of places
and colours.

By themselves: ``schp`` (its parsers as torch checkpoints), ``posenet`` and ``dwpose`` (joints), ``u2net`` (what stands out, and clothes),
``cloths_segmentation`` (clothes); ``network`` is what they have in common.
"""
