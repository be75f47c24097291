"""What one more batch costs, by how long the history is."""
