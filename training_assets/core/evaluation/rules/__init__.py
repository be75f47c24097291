"""What each kind of rule says of a report: what is missing or not a number never passes."""
