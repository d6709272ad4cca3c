"""The published results, and the runs that reproduce them."""
