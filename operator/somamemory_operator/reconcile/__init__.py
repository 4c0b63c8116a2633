"""One pass over one SomaMemory: look, decide, execute, report."""
