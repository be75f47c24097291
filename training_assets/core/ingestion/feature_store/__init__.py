"""Features of a Feast repository, as they were known at the time of each row."""
