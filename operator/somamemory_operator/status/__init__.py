"""How it stands: `.status` as a pure function of what is observed, never of what was done."""
