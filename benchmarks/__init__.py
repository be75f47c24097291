"""What is measured against what; each folder is one command."""
