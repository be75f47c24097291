"""What exists: the assets of one model, written once; a thin shell each around a function of `core`."""
