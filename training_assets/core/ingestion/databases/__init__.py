"""Rows of a query, read in sessions that cannot write."""
