"""Trains a model to ask for help, by the recipe of the paper's Section 5."""
