"""Which image a container runs, as a spec says it."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from somamemory_operator.resource.base import Model

ImagePart = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][-a-zA-Z0-9._/:]*$", min_length=1, max_length=255)]

Tag = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_][-a-zA-Z0-9._]*$", min_length=1, max_length=128)]

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[a-f0-9]{64}$", max_length=71)]


class Image(Model):
    """Which image a container runs; what is not said comes from the operator's settings."""

    repository: ImagePart | None = None
    """Registry and repository, such as docker.io/library/postgres."""
    tag: Tag | None = None
    """Tag, such as 16.4."""
    digest: Digest | None = None
    """Digest; wins over the tag."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the node pulls the image (default IfNotPresent)."""
