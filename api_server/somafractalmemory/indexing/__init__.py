"""How the index follows the truth: at once after a commit, by repair, and by comparing both."""
