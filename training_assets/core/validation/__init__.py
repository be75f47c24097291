"""From raw rows to rows that obey the schema, and what is claimed about them; splits and models live elsewhere."""
