"""A worn garment to a flat one: published networks, their data and their training.

``pix2pix``, ``resnet_unet`` and ``seed_discriminators`` are the networks, ``painters`` the generators by name; ``frames`` makes their
inputs of photographs; ``tasks`` says what is asked of them, ``losses`` and ``steps`` are what they are trained by. ``unwarp`` is the
embedded engine, which has no network.
"""
