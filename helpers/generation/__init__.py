"""Generation: what stands around the engines that draw a clothed person."""
