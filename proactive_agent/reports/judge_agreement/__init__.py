"""Measures how well a judge agrees with labels."""
