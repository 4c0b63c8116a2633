"""The running operator: which parts there are, what wakes them, and when it is well. Kopf is known here only."""
