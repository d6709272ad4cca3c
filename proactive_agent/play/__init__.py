"""Playing one episode: the loop, protocols, conditions, judges and the simulated user."""
