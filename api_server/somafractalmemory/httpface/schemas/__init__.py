"""Bodies, parameters and answers of the routes; each module belongs to the routes of the same name."""
