"""Copies of a local model in worker processes, which Ray starts on this machine or on a cluster.

The program that plays the run keeps the loop, the records and the budget. Each worker holds one
copy of the model and forms its own batches.
"""
