"""Atomic writes of files, and locks that end with their process."""
