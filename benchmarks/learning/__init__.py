"""Experiment: `train` teaches a small model to ask, from drawn scenes to result tables."""
