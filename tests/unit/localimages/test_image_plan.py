"""Names of images tell their content: the same files give the same name anywhere, a changed file another."""

from pathlib import Path

import pytest

from localimages.build import stage
from localimages.catalogue import OFFICIAL_PYTHON, PROGRAMS, PYTHON, STORE_IMAGES, STORES, Base, Image
from localimages.debian import command
from localimages.plan import base_reference, files, plan_all, planned


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """An image of two files and a folder."""
    (tmp_path / "package/__pycache__").mkdir(parents=True)
    (tmp_path / "package/code.py").write_text("1")
    (tmp_path / "package/__pycache__/code.pyc").write_text("compiled")
    (tmp_path / "start.sh").write_text("exec")
    (tmp_path / "Containerfile").write_text("FROM scratch")
    context = {"package": tmp_path / "package", "bin/start.sh": tmp_path / "start.sh"}
    return Image("example", tmp_path / "Containerfile", PYTHON, context)


def reference(image: Image, base: str = "base:1") -> str:
    return planned(image, base=base, archives=Path("/cache")).reference


def test_the_name_is_the_same_as_long_as_nothing_changes(image: Image, tmp_path: Path) -> None:
    before = reference(image)
    (tmp_path / "package/__pycache__/code.pyc").write_text("compiled again")

    assert reference(image) == before


@pytest.mark.parametrize("file", ["package/code.py", "package/new.py", "start.sh", "Containerfile"])
def test_any_changed_file_changes_the_name(image: Image, tmp_path: Path, file: str) -> None:
    before = reference(image)
    (tmp_path / file).write_text("changed")

    assert reference(image) != before


def test_an_executable_bit_changes_the_name(image: Image, tmp_path: Path) -> None:
    before = reference(image)
    (tmp_path / "start.sh").chmod(0o755)

    assert reference(image) != before


def test_another_base_changes_the_name(image: Image) -> None:
    assert reference(image, "base:1") != reference(image, "base:2")


def test_the_archive_is_named_like_the_image(image: Image) -> None:
    plan = planned(image, base="base:1", archives=Path("/cache"))

    assert plan.archive == Path(f"/cache/example-{plan.reference.rpartition(':')[2]}.tar")


def test_the_build_sees_exactly_the_files_that_gave_the_name(image: Image, tmp_path: Path) -> None:
    context = tmp_path / "context"
    stage(image, context, jars=None)

    staged = {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}
    assert staged == {target for target, _ in files(image)} | {"Containerfile"}


@pytest.mark.parametrize("change", [{"packages": ("python3",)}, {"suite": "trixie"}, {"leave_out": ()}])
def test_a_base_is_named_after_what_makes_it(change: dict[str, object]) -> None:
    changed = Base(**({"name": "python", "packages": PYTHON.packages} | change))  # type: ignore[arg-type]

    assert base_reference(changed) != base_reference(PYTHON)


def test_the_command_for_a_base_names_no_server() -> None:
    words = " ".join(command(STORES, Path("/target.tar")))

    assert "://" not in words
    assert "postgresql-15" in words


def test_with_docker_the_stores_are_the_official_images() -> None:
    plans = plan_all(Path("/cache"), docker=True)

    assert [plan.image.name for plan in plans] == ["operator", "api"]
    assert {plan.base for plan in plans} == {OFFICIAL_PYTHON}


def test_without_docker_every_image_is_ours() -> None:
    plans = plan_all(Path("/cache"), docker=False)

    assert [plan.image.name for plan in plans] == ["operator", "api", "postgres", "redis", "kafka", "qdrant-edge"]
    assert all(plan.reference.startswith("localhost/somamemory/") for plan in plans)


def test_an_unknown_image_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no image qdrant; choose from operator, api"):
        plan_all(Path("/cache"), docker=False, only=["qdrant"])


def test_the_operators_code_does_not_change_the_apis_image() -> None:
    by_name = {image.name: {target for target, _ in files(image)} for image in PROGRAMS}

    assert not [target for target in by_name["api"] if target.startswith("operator/")]
    assert not [target for target in by_name["operator"] if target.startswith("api_server/")]


@pytest.mark.parametrize("image", [*PROGRAMS, *STORE_IMAGES], ids=lambda image: str(image.name))
def test_every_image_exists_runs_without_root_and_names_no_server(image: Image) -> None:
    text = image.containerfile.read_text()
    last_stage = text[text.rindex("\nFROM") :]

    assert "ARG BASE" in text
    assert "\nUSER " in last_stage
    assert "USER 0" not in last_stage
    assert "http" not in text
    assert all(source.exists() for source in image.context.values())
