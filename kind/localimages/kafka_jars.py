"""Kafka's jars from Maven, kept in the cache by the hash of the pom that names them."""

import shutil
from pathlib import Path

from localcluster.paths import KIND, cache, content_key
from localcluster.progress import Progress, Step
from localcluster.streaming import stream

POM = KIND / "images" / "kafka" / "pom.xml"
RESOLVE_SECONDS = 600.0


def jars_folder() -> Path:
    """Return the folder that holds them once `ensure` was called."""
    return cache() / f"kafka-{content_key(POM)}"


def ensure(progress: Progress | None = None) -> Path:
    """Fetch what is missing and return the folder; takes no time when it is there.

    Raises:
        CommandFailedError: Maven is missing or failed.
    """
    folder = jars_folder()
    if folder.exists():
        return folder
    progress = progress or Progress()
    with progress.step("Fetch Kafka's jars") as step:
        _resolve(folder, step)
    return folder


def _resolve(folder: Path, step: Step) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--file", str(POM), goal]
    options = [f"-DoutputDirectory={partial}", "-DincludeScope=runtime"]
    stream([*command, *options], log=cache() / "kafka-jars.log", step=step, seconds=RESOLVE_SECONDS)
    partial.rename(folder)  # complete or not there at all
