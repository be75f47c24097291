"""From validated rows to the feature table: declared derived columns and joins; encoding lives elsewhere."""
