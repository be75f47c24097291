"""Searches against the same trials by hand, against one thread, across a crash, and in memory."""
