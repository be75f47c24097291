"""Who may let a version into production: the policy, and whether those who agreed are enough."""
