"""Numbers for people: tables, comparisons, plots, the published results."""
