"""TripoSR, published: ``networks`` from a picture to three planes of features, ``field`` from those to points, rays and a surface,
``frame`` for what the network is shown; ``engine`` joins them."""
