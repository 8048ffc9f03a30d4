"""Cloth as a material: ``weave`` (yarn, tone and relief), ``floral`` (a drawn print), ``material`` (what the renderer asks)."""
