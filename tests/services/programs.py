"""Which of the programs that the servers need are missing on this machine."""

import shutil

from .postgres import postgres_program

_PACKAGES = {
    "postgres": "postgresql",
    "redis-server": "redis-server",
    "pgbouncer": "pgbouncer",
    "java": "openjdk-17-jre-headless",
    "mvn": "maven",
}


def missing_programs() -> dict[str, str]:
    """Program -> the Debian package that brings it, for those that are not there."""
    return {program: package for program, package in _PACKAGES.items() if not _found(program)}


def _found(program: str) -> bool:
    return bool(postgres_program("postgres") if program == "postgres" else shutil.which(program))
