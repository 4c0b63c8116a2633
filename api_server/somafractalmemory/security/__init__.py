"""Who calls, what they may do and see, and what stays encrypted. Knows no face and no store."""
