"""Run records on disk: episodes, the manifest, the run folder, its index."""
