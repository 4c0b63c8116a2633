"""The `soma` command, as `python -m somafractalmemory`."""

from somafractalmemory.cli import main

if __name__ == "__main__":
    main()
