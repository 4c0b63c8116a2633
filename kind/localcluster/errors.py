"""What can go wrong, each with what to do next.

LocalClusterError
├── CannotRunError          this machine cannot run the cluster that was asked for
├── ProgramsMissingError    a program is not there and is not ours to install
├── CommandFailedError      a command that we called ended with an error
├── StartFailedError        something started and did not become ready in time
└── StoppedError            a step was given up because one beside it failed
"""


class LocalClusterError(Exception):
    """A problem and the next step that solves it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  Next: {remedy}")
        self.problem = problem
        self.remedy = remedy


class CannotRunError(LocalClusterError):
    """This machine cannot run the cluster that was asked for."""


class ProgramsMissingError(LocalClusterError):
    """A program is not there and is not ours to install."""


class CommandFailedError(LocalClusterError):
    """A command that we called ended with an error."""


class StartFailedError(LocalClusterError):
    """Something started and did not become ready before its deadline."""


class StoppedError(LocalClusterError):
    """A step was given up because one beside it failed."""
