"""Programs, images, certificates and their places."""

import base64
import re
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from localcluster import certificates, compiling, config, images, programs
from localcluster.errors import CannotRunError
from localcluster.layout import Layout
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
    newer = replace(programs.KIND_PROGRAM, version="v9.9.9")

    assert newer.folder != programs.KIND_PROGRAM.folder
    assert programs.NODE.folder.name.startswith("programs-")


def test_programs_tell_their_version() -> None:
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in programs.NODE.ldflags
    assert f"-X helm.sh/helm/v3/internal/version.version={programs.HELM_VERSION}" in programs.NODE.ldflags


def test_only_a_recent_go_is_accepted() -> None:
    assert programs.go_is_new_enough("go1.24.0\n")
    assert programs.go_is_new_enough("go2.0")
    assert not programs.go_is_new_enough("go1.23.9")
    assert not programs.go_is_new_enough("devel")


def test_an_older_go_will_do_where_it_may_fetch_a_newer_one() -> None:
    """Since 1.21 Go switches to the toolchain that a module asks for, unless GOTOOLCHAIN says local."""
    assert programs.go_is_new_enough("go1.22.1", "auto\n")
    assert not programs.go_is_new_enough("go1.22.1", "local\n")
    assert not programs.go_is_new_enough("go1.20.1", "auto\n")


def test_the_oldest_go_is_the_one_that_the_module_asks_for() -> None:
    """What is promised at the start is what the compiler will demand half a minute later."""
    demanded = re.search(r"^go (\d+)\.(\d+)", (programs.MODULE / "go.mod").read_text(), re.MULTILINE)

    assert demanded
    assert (int(demanded[1]), int(demanded[2])) == programs.OLDEST_GO


def test_one_run_of_go_makes_all_that_can_share_a_run() -> None:
    """What Helm, CoreDNS and Kubernetes share is compiled once, as all are built with the same flags."""
    together, apart = compiling.commands(programs.NODE, Path("/target"))

    assert together[-3:] == ["./kubernetes", "./coredns", "helm.sh/helm/v3/cmd/helm"]
    assert apart[-1] == "github.com/rancher/local-path-provisioner"
    assert together[: together.index("-v")] == apart[: apart.index("-v")]


def test_a_compiler_collects_garbage_only_when_its_share_of_the_memory_is_full() -> None:
    """Half of the memory stays free for the rest; where the share would be too small, Go decides."""
    gib = 1024**3

    assert compiling.collector(20 * gib, 4) == {"GOGC": "off", "GOMEMLIMIT": str(20 * gib // 8)}
    assert compiling.collector(64 * gib, 2)["GOMEMLIMIT"] == str(4 * gib)
    assert compiling.collector(6 * gib, 4) == {}
    assert compiling.collector(0, 2) == {}


def test_the_module_has_one_version_of_each_library_of_kubernetes() -> None:
    """A second version of client-go would be compiled a second time."""
    text = (programs.MODULE / "go.mod").read_text()
    replaced = dict(re.findall(r"^\t(k8s\.io/[\w-]+) => k8s\.io/[\w-]+ (\S+)$", text, re.MULTILINE))

    assert {"k8s.io/client-go", "k8s.io/api", "k8s.io/apimachinery", "k8s.io/kubectl"} <= set(replaced)
    assert set(replaced.values()) == {programs.KUBERNETES_VERSION.replace("v1", "v0", 1)}


def test_coredns_has_the_plugins_that_the_corefile_names() -> None:
    """A plugin that is not compiled in ends CoreDNS at its start."""
    corefile = config.corefile(Layout())
    source = (programs.MODULE / "coredns/main.go").read_text()
    compiled = set(re.findall(r'coredns/plugin/(\w+)"', source))

    named = set(re.findall(r"^  (\w+)", corefile, re.MULTILINE))
    assert named == compiled


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
