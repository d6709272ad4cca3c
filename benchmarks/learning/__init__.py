"""Experiment: `train` teaches Nano to ask, and the results are written as tables."""
