"""How good the models are, against other systems with the same CPU budget."""
