"""`make up` in a Debian that has git, make, Python and Go, and nothing else: what a stranger's machine is like.

    host (the rim: what this host says of certificates, indexes and caches)
    -> plan (pure: commands, mounts, environment, script)
    -> __main__ (makes the root, runs the script in it, removes it) -> entry (the first process in its namespaces)

The root is a folder; the run in it has mounts and processes of its own, so its end takes everything with it. Network
and kernel are the host's. So are the caches of what is built: the host does not compile again what was compiled here.
"""
