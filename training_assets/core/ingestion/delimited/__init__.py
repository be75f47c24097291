"""Delimited text: encoding, dialect, records and rows; what other formats hold is next door."""
