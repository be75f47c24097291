"""File formats other than plain delimited text, and what packs or parts files."""
