"""Object stores and Delta tables."""
