"""Files that are whole or unchanged after any failure, and locks that end with their process."""
