"""What a target needs of this machine, looked at in its first seconds, before anything is built.

    targets (what each target needs) -> machine (the rim: gathers facts) -> rules (pure: facts to problems)
    -> __main__ (installs Debian's packages where it may, tells everything else at once, and ends with 1)

Runs before the virtual environment exists, so it imports the standard library only, and of `localcluster` only what
does the same. `../preflight.sh` calls it, and speaks in its place where there is no Python for it.
"""
