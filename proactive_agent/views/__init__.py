"""Shows episodes to people: as plain text, in a terminal interface, as HTML."""
