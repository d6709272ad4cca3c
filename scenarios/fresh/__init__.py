"""Fresh scenes: samples that a generator composes from rendered cut-outs."""
