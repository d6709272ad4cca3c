"""The tables and figures of the paper, reproduced with our runs."""
