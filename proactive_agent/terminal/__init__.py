"""The terminal: the console, pictures, and the interface for a human player."""
