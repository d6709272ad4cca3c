"""Compares runs with a baseline run and with the published results."""
