"""The files of a run: episodes, manifest, run folder, index of episodes."""
