"""How good a candidate is, and what follows: metrics, their intervals, the report, the rules and the verdict."""
