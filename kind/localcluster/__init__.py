"""A Kubernetes cluster on this machine, whatever the machine offers.

`__main__` is the command line. `choose` decides from plain facts which provider to use: `docker` (kind), `node` (one
real node in namespaces of its own, for hosts without Docker) or `current` (an existing cluster, only when asked for).
All three keep the promises of `provider.Provider`. `deploy` puts the product onto the cluster.

The node: `packages` and `programs` bring what it needs, `certificates` and `config` write its files, `units` lists its
processes as data, `network` makes its network, `supervisor` runs as its first process, and `node` ties them together.
`apiserver` starts an API server alone, for tests.
"""
