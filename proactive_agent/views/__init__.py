"""Episodes for people: plain text, a terminal interface, HTML."""
