"""Reports on runs: tables, comparisons, plots, and the published results."""
