"""The whole graph against a bare script that does the same work."""
