"""Batch APIs: requests are submitted together, at half the price, and answered within a day."""
