"""Measures how well a judge agrees with human labels."""
