"""How pip, uv and certificates of the host reach a build."""

from pathlib import Path

from localimages.hostsettings import pip_settings, uv_settings, volumes

LISTING = """global.cert='/somewhere/ca.pem'
global.index-url='https://mirror.example/simple'
env.timeout='60'
install.user='true'
"""


def test_pip_gets_the_hosts_index_but_the_mounted_certificates() -> None:
    assert pip_settings(LISTING).splitlines() == [
        "[global]",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "index-url = https://mirror.example/simple",
        "timeout = 60",
    ]


def test_uv_gets_the_same_index() -> None:
    settings = uv_settings({"PIP_INDEX_URL": "https://mirror.example/simple", "PIP_FIND_LINKS": "/wheels /more"})

    assert 'index-url = "https://mirror.example/simple"' in settings
    assert 'find-links = ["/wheels", "/more"]' in settings


def test_a_host_without_settings_gives_none() -> None:
    assert uv_settings({}) == "native-tls = true\n"
    assert pip_settings("").count("\n") == 2


def test_files_are_mounted_where_pip_and_uv_look(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")

    mounted = volumes(tmp_path / "host", {"SSL_CERT_FILE": str(bundle)})

    assert set(mounted.values()) == {"/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf", "/etc/uv/uv.toml"}
    assert mounted[str(bundle)] == "/etc/ssl/certs/ca-certificates.crt"
