"""A small model learns to ask: what `train` does, from drawn scenes to figures."""
