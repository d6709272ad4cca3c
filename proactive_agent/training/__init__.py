"""Trains a model to ask for help, as in Section 5 of the paper."""
