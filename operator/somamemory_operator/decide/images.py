"""Which image a container runs: the operator's default, a mirror, a release, or what the spec says."""

from somamemory_operator.resource.image import Image

PULL_POLICY = "IfNotPresent"


def reference(default: str, image: Image, *, registry: str | None = None, version: str | None = None) -> str:
    """The full reference. A field of `image` wins over `version`, that over the tag of `default`.

    `registry` takes the place of the registry of `default`, unless the spec names a repository of its own.
    """
    repository, suffix = split(default)
    if image.repository is not None:
        repository = image.repository
    elif registry is not None:
        repository = f"{registry}/{_without_registry(repository)}"
    if image.digest is not None:
        return f"{repository}@{image.digest}"
    tag = image.tag or version
    return f"{repository}:{tag}" if tag else f"{repository}{suffix}"


def told(running: str, wanted: str, image: Image, *, registry: str | None = None) -> str:
    """`running` with that of `wanted` which the spec says itself; the rest of `wanted` is a default of the operator.

    Told to run from a mirror, the image stays of the version that runs, whatever the operator's default is by now.
    """
    repository, suffix = split(running)
    wanted_repository, wanted_suffix = split(wanted)
    if image.repository is not None or (registry is not None and not repository.startswith(f"{registry}/")):
        repository = wanted_repository
    is_said = image.tag is not None or image.digest is not None
    return f"{repository}{wanted_suffix if is_said else suffix}"


def split(reference: str) -> tuple[str, str]:
    """Repository, and tag or digest with its sign: `docker.io/library/redis:7` is (`docker.io/library/redis`, `:7`)."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        return repository, f"@{digest}"
    head, slash, tail = reference.rpartition("/")
    name, colon, tag = tail.partition(":")
    return f"{head}{slash}{name}", f"{colon}{tag}"


def _without_registry(repository: str) -> str:
    first, _, rest = repository.partition("/")
    is_registry = "." in first or ":" in first or first == "localhost"
    return rest if is_registry and rest else repository
