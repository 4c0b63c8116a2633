"""From facts to problems: one small rule for each thing that a target may need. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from localcluster.choose import ProviderName, choose
from localcluster.errors import CannotRunError
from localcluster.layout import HOST_ADDRESS, NODE_PORT
from localcluster.programs import GET_GO, go_is_new_enough
from preflight.facts import CAPABILITIES, CONTROLLERS, GIB, Facts
from preflight.targets import Target

MEMORY_NEEDED = 6 * GIB
LAYERING = ("ext4", "ext3", "xfs", "btrfs", "f2fs", "tmpfs", "zfs")
"""File systems that overlayfs can hold containers on."""
GET_TOOLS = {
    "kubectl": "install it: https://kubernetes.io/docs/tasks/tools/",
    "helm": "install it: https://helm.sh/docs/intro/install/",
}


@dataclass(frozen=True)
class Problem:
    """What is not as a target needs it, and what to do."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Case:
    """What a rule judges: a target on a machine, and the provider that the target would use there."""

    target: Target
    facts: Facts
    provider: ProviderName | None
    """None when no cluster can run here."""

    @property
    def starts_node(self) -> bool:
        """Say whether the target starts the node without Docker."""
        return self.target.bare or (self.target.cluster and self.provider == "node")


def provider(facts: Facts) -> ProviderName | None:
    """Return the provider that a cluster would use on this machine, or None when none can run here."""
    try:
        return choose(facts.choice).provider
    except CannotRunError:
        return None


def problems(target: Target, facts: Facts) -> list[Problem]:
    """Return everything that keeps the target from working, in the order in which a person would solve it."""
    case = Case(target, facts, provider(facts))
    return [problem for rule in RULES for problem in rule(case)]


def no_provider(case: Case) -> Iterator[Problem]:
    """A cluster needs a Docker engine, or root on Linux."""
    if case.target.cluster:
        try:
            choose(case.facts.choice)
        except CannotRunError as error:
            yield Problem(error.problem, error.remedy)


def no_engine(case: Case) -> Iterator[Problem]:
    """CLUSTER=docker can be said where there is none."""
    if case.target.cluster and case.provider == "docker" and not case.facts.choice.docker_answers:
        yield Problem("No Docker engine answers", "start Docker, or leave CLUSTER alone")


def images_cannot_be_loaded(case: Case) -> Iterator[Problem]:
    """Images that were built here get to somebody else's cluster by a registry only."""
    if case.target.cluster and case.provider == "current":
        yield Problem(
            "Images that are built here cannot be loaded into the cluster of your kubeconfig",
            "push them to a registry and install the chart: README.md, On your own cluster",
        )


def bare_host(case: Case) -> Iterator[Problem]:
    """A bare root is made by root, and its node has the same addresses as one outside of it."""
    choice = case.facts.choice
    if case.target.bare and not (choice.linux and choice.root):
        yield Problem("A bare Debian is made and entered by root on Linux", "run as root on Debian 12")
    if case.target.bare and choice.node_runs:
        yield Problem("A node runs here, and the bare Debian's needs its addresses", "make down")


def images_need_root(case: Case) -> Iterator[Problem]:
    """Without Docker, images start from base systems that only root can make."""
    choice = case.facts.choice
    if case.target.images and not case.target.cluster and not choice.docker_answers and not choice.root:
        yield Problem(
            "No Docker engine answers, and without one only root builds images", "start Docker, or run as root"
        )


def packages(case: Case) -> Iterator[Problem]:
    """The node, the images and the stores come from Debian's packages, which only root installs."""
    names = " ".join(case.facts.missing_packages)
    if names and case.facts.debian:
        yield Problem(f"Packages are missing: {names}", f"as root: apt-get install {names}")
    elif names:
        yield Problem(f"This is no Debian, and packages of it are needed: {names}", "run on Debian 12")


def tools(case: Case) -> Iterator[Problem]:
    """Some programs a person has to choose and install."""
    for tool in case.facts.missing_tools:
        yield Problem(f"{tool} is missing", GET_TOOLS[tool])


def go(case: Case) -> Iterator[Problem]:
    """What is not in the cache is compiled."""
    version = case.facts.go
    if case.facts.compiles and not go_is_new_enough(version, case.facts.toolchain):
        yield Problem(f"{version} is too old" if version else "Go is missing", GET_GO)


def capabilities(case: Case) -> Iterator[Problem]:
    """Root inside of a container may be root by name only."""
    lacking = [name for name, bit in CAPABILITIES.items() if not case.facts.capabilities >> bit & 1]
    if lacking and case.starts_node and case.facts.choice.root:
        yield Problem(
            f"Root lacks the capabilities {', '.join(lacking)}", "run outside of the container, or in a privileged one"
        )


def room(case: Case) -> Iterator[Problem]:
    """Everything that is downloaded, built and stored must fit."""
    for place in case.facts.rooms:
        if place.free < place.needed:
            yield Problem(
                f"{place.needed / GIB:.0f} GiB are needed for {', '.join(place.folders)}, "
                f"and {place.free / GIB:.1f} are free",
                "free some space, or move the caches: SOMAMEMORY_CACHE, GOCACHE, GOMODCACHE",
            )


def memory(case: Case) -> Iterator[Problem]:
    """The compiler, and later the node with all stores, must fit."""
    if case.facts.memory < MEMORY_NEEDED and (case.starts_node or case.facts.compiles):
        yield Problem(
            f"{MEMORY_NEEDED / GIB:.0f} GiB of memory are needed, and {case.facts.memory / GIB:.1f} can be had",
            "end other programs, or give the machine more memory",
        )


def network(case: Case) -> Iterator[Problem]:
    """The node's addresses must belong to nobody else."""
    if case.facts.networks and case.starts_node:
        names = ", ".join(case.facts.networks)
        yield Problem(
            f"The node needs {HOST_ADDRESS}/30, which lies in a network of this host: {names}",
            "leave that network, such as a VPN: see `ip route`",
        )


def control_groups(case: Case) -> Iterator[Problem]:
    """The kubelet limits pods by control groups."""
    lacking = [name for name in CONTROLLERS if name not in case.facts.controllers]
    if lacking and case.starts_node:
        yield Problem(
            f"Control groups cannot be used here; missing: {', '.join(lacking)}",
            "mount them writable at /sys/fs/cgroup, as every usual Linux does outside of containers",
        )


def kernel(case: Case) -> Iterator[Problem]:
    """Pods need layered file systems and networks of their own."""
    if case.facts.lacking and case.starts_node:
        yield Problem(f"The kernel lacks {', '.join(case.facts.lacking)}", "boot a kernel that has these modules")


def layers(case: Case) -> Iterator[Problem]:
    """Overlayfs, which holds the containers, stacks neither on itself nor on a network's file system."""
    kind = case.facts.state_filesystem
    if kind not in LAYERING and case.starts_node:
        yield Problem(
            f"Containers cannot lie on {kind}, which is at /var/lib/somamemory-node",
            f"mount another file system there: {', '.join(LAYERING)}",
        )


def port(case: Case) -> Iterator[Problem]:
    """Kind maps the API to a port of this host."""
    if case.facts.port_taken and case.target.cluster and case.provider == "docker":
        yield Problem(
            f"Port {NODE_PORT} of this host is taken", f"end what listens there: ss -ltnp 'sport = {NODE_PORT}'"
        )


RULES: tuple[Callable[[Case], Iterator[Problem]], ...] = (
    no_provider,
    no_engine,
    images_cannot_be_loaded,
    bare_host,
    images_need_root,
    packages,
    tools,
    go,
    capabilities,
    room,
    memory,
    network,
    control_groups,
    kernel,
    layers,
    port,
)
