"""A worn garment to a flat one: published networks, their data and their training.

``pix2pix``, ``resnet_unet`` and ``seed_discriminators`` are the networks, ``painters`` the generators by name; ``frames`` makes their
inputs of photographs and of their ``crops``; ``tasks`` says what is asked of them, ``losses`` and ``steps`` are what they are trained by.
``unwarp`` is the embedded engine without a network, ``flatten_net`` the one with a network that was trained here, a ``small_unet``;
``product`` sets what they laid flat on white.
"""
