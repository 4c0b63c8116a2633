"""How mmdebstrap is asked for a base."""

from pathlib import Path

from localimages.catalogue import Base


def command(base: Base, target: Path) -> list[str]:
    """The command that writes the file system; the host's own apt configuration says where packages come from."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in base.leave_out),
        # A merged /usr from the start: else a package that merges it, and the whole of Perl for it, stay in the image.
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        '--essential-hook=mkdir -p "$1/usr/share/man/man1"',  # packages of Java want to put a link there
        '--customize-hook=rm -rf "$1"/var/lib/postgresql/*/main',  # Debian's example cluster
        f"--include={','.join(('usr-is-merged', *base.packages))}",
        base.suite,
        str(target),
    ]
