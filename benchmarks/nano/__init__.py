"""Trains the base of Nano from nothing: a small model that recognises things and does not ask."""
