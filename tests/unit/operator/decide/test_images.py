"""Which image a container runs."""

import pytest

from somamemory_operator.decide.images import reference, split
from somamemory_operator.resource.image import Image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("default", "image", "options", "expected"),
    [
        ("docker.io/library/redis:7", {}, {}, "docker.io/library/redis:7"),
        ("docker.io/library/redis:7", {"tag": "7.4"}, {}, "docker.io/library/redis:7.4"),
        ("docker.io/library/redis:7", {"digest": DIGEST, "tag": "7.4"}, {}, f"docker.io/library/redis@{DIGEST}"),
        ("docker.io/library/redis:7", {"repository": "e.org/r"}, {}, "e.org/r:7"),
        ("docker.io/library/redis:7", {}, {"registry": "m.org/a"}, "m.org/a/library/redis:7"),
        ("docker.io/library/redis:7", {"repository": "e.org/r"}, {"registry": "m.org/a"}, "e.org/r:7"),
        ("localhost/somamemory/api:0abc", {}, {"registry": "m.org"}, "m.org/somamemory/api:0abc"),
        ("somatechlat/api:1", {}, {"registry": "m.org"}, "m.org/somatechlat/api:1"),
        ("docker.io/x/api:0.1.0", {}, {"version": "0.2.0"}, "docker.io/x/api:0.2.0"),
        ("docker.io/x/api:0.1.0", {"tag": "t"}, {"version": "0.2.0"}, "docker.io/x/api:t"),
        (f"docker.io/x/api@{DIGEST}", {}, {}, f"docker.io/x/api@{DIGEST}"),
        (f"docker.io/x/api@{DIGEST}", {}, {"version": "0.2.0"}, "docker.io/x/api:0.2.0"),
    ],
)
def test_the_reference_is_put_together(
    default: str, image: dict[str, str], options: dict[str, str], expected: str
) -> None:
    assert reference(default, Image.model_validate(image), **options) == expected


def test_the_port_of_a_registry_is_no_tag() -> None:
    assert split("localhost:5000/a/b") == ("localhost:5000/a/b", "")
