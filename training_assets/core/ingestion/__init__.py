"""From files to batches: which files there are, what their bytes are, and their rows, read strictly or refused."""
