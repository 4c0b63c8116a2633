"""Builds the container images of the local cluster with whatever builder the machine has.

    catalogue (what each image is made of) -> plan (content hashes, what is missing; pure) -> builder (docker, podman,
    buildah) -> an archive in the cache, under a name that tells its content

With Docker the stores are the official images, so only the API and the operator are built. Without it the stores are
built from Debian's packages, Kafka's jars and Qdrant's embedded engine, on base systems made by mmdebstrap.
"""
