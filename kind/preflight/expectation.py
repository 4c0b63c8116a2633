"""How long a target will take, told at its start. Pure."""

from math import ceil

from preflight.facts import Facts

# Measured as processor time with nothing in any cache; what waits for the network hides behind the compiler.
COMPILER_CORE_SECONDS = 450
IMAGE_CORE_SECONDS = 25
STARTING_SECONDS = 60


def expectation(facts: Facts, cores: int) -> str:
    """Return one line about what will be built and how long that takes, or nothing when there is little to build."""
    work = [
        *(["compiling Kubernetes"] if facts.compiles else []),
        *([f"building {facts.images} images"] if facts.images else []),
    ]
    if not work:
        return ""
    core_seconds = COMPILER_CORE_SECONDS * facts.compiles + IMAGE_CORE_SECONDS * facts.images
    minutes = ceil((core_seconds / cores + STARTING_SECONDS) / 60)
    return f"This takes about {minutes} minutes on {cores} cores: {' and '.join(work)}. The next time it is seconds."
