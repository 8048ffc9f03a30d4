"""A worn garment to a flat one: published networks, their data and their training.

``pix2pix``, ``resnet_unet`` and ``seed_discriminators`` are the networks; ``frames`` makes their inputs of photographs; ``losses`` and
``steps`` are what they are trained by.
"""
