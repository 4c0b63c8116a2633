"""Programs, images, certificates and their places."""

import base64
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from localcluster import certificates, images, packages, programs
from localcluster.errors import CannotRunError
from localcluster.paths import cache, content_key


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SOMAMEMORY_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/somamemory"),
        ({"HOME": "/c"}, "/c/.cache/somamemory"),
    ],
)
def test_the_cache_can_be_moved(environ: dict[str, str], expected: str) -> None:
    assert cache(environ) == Path(expected)


def test_a_content_key_tells_where_one_part_ends_and_the_next_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")

    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key("a") == content_key(tmp_path / "file")


def test_another_version_of_a_program_lives_in_another_folder() -> None:
    newer = replace(programs.COREDNS, version="v9.9.9")

    assert newer.folder != programs.COREDNS.folder
    assert programs.KUBERNETES.folder.name.startswith("kubernetes-")


def test_programs_tell_their_version() -> None:
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in programs.KUBERNETES.ldflags


def test_only_a_recent_go_is_accepted() -> None:
    assert programs.go_is_new_enough("go1.24.0\n")
    assert programs.go_is_new_enough("go2.0")
    assert not programs.go_is_new_enough("go1.19.8")
    assert not programs.go_is_new_enough("devel")


def test_the_packages_are_listed_without_their_comments() -> None:
    names = packages.names()

    assert "containerd" in names
    assert all(name.replace("-", "").isalnum() for name in names)


def test_the_names_in_an_archive_are_those_it_was_written_with(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    images.write_image(archive, "localhost/a/b:1", b"layer", ["/bin/true"])

    assert images.names_in(archive) == ["localhost/a/b:1"]


def test_an_archive_without_a_name_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w"):
        pass

    with pytest.raises(CannotRunError, match="not an image archive"):
        images.names_in(archive)


def signed_by(child: bytes, parent: bytes) -> None:
    x509.load_pem_x509_certificate(child).verify_directly_issued_by(x509.load_pem_x509_certificate(parent))


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    return certificates.Authority("test")


def test_a_certificate_names_its_user_groups_and_addresses(authority: certificates.Authority) -> None:
    identity = authority.issue("jane", ["readers"], ["10.0.0.1", "localhost"])

    certificate = x509.load_pem_x509_certificate(identity.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert certificate.subject.rfc4514_string() == "CN=jane,O=readers"
    assert [str(name.value) for name in names] == ["10.0.0.1", "localhost"]
    signed_by(identity.certificate, authority.identity.certificate)


def test_private_keys_are_for_their_owner_only(authority: certificates.Authority, tmp_path: Path) -> None:
    authority.identity.write(tmp_path, "ca")
    certificates.write_signing_key(tmp_path, "tokens")

    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ca.key", "tokens.key")}
    assert modes == {0o600}


def test_a_kubeconfig_carries_everything_inline(authority: certificates.Authority) -> None:
    client = authority.issue("jane")
    text = certificates.kubeconfig(
        server="https://1.2.3.4", authority=authority.identity.certificate, client=client, name="test"
    )

    document = yaml.safe_load(text)
    assert document["current-context"] == "test"
    assert base64.b64decode(document["users"][0]["user"]["client-key-data"]) == client.key
