"""What must hold: pure findings of `core`, worn by asset checks. A check never raises for what it was built to find."""
