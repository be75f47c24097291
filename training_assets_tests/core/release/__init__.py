"""Who may let a version into production."""
