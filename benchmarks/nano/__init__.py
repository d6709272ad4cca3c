"""Trains the base of Nano from scratch: a small model that recognises things and does not ask."""
