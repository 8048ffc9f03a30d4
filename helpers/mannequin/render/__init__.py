"""The photograph: ``camera`` frames, ``trace`` shoots the rays, ``light`` falls, ``shade`` answers it, ``studio`` develops the picture."""
