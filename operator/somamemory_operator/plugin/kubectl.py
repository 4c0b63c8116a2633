"""kubectl as it is configured here: its contexts, logins and flags are those of whoever types."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj

SECONDS = 60.0
RESOURCE = f"{names.PLURAL}.{names.GROUP}"


class KubectlFailed(Exception):  # noqa: N818 - it is said by its words
    """kubectl did not do it; the message is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """Calls of kubectl in one namespace; an empty one, context or kubeconfig is kubectl's own."""

    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""

    def command(self, *words: str) -> list[str]:
        """The whole command, for a process that goes on."""
        flags = {"--namespace": self.namespace, "--context": self.context, "--kubeconfig": self.kubeconfig}
        return ["kubectl", *words, *(f"{flag}={value}" for flag, value in flags.items() if value)]

    def run(self, *words: str, text: str | None = None, seconds: float = SECONDS) -> str:
        """What it prints. Raises KubectlFailed, also after `seconds`."""
        try:
            done = subprocess.run(
                self.command(*words), input=text, capture_output=True, text=True, timeout=seconds, check=False
            )
        except FileNotFoundError as error:
            raise KubectlFailed("kubectl is not installed: https://kubernetes.io/docs/tasks/tools/") from error
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(f"kubectl {words[0]} took longer than {seconds:g} s") from error
        if done.returncode:
            raise KubectlFailed(done.stderr.strip() or f"kubectl {words[0]} ended with {done.returncode}")
        return done.stdout

    def objects(self, *words: str) -> list[Obj]:
        """The items of `kubectl get …`."""
        items: list[Obj] = json.loads(self.run("get", *words, "--output=json"))["items"]
        return items

    def patch(self, name: str, spec: Mapping[str, object]) -> None:
        """Change some fields of the spec; None takes one away."""
        self.run("patch", RESOURCE, name, "--type=merge", f"--patch={json.dumps({'spec': spec})}")

    def follow(self, words: Sequence[str]) -> int:
        """Have kubectl take over the terminal; how it ended."""
        return subprocess.run(self.command(*words), check=False).returncode

    def memory(self, name: str) -> Obj:
        """The SomaMemory of that name, or the only one of the namespace. Raises KubectlFailed."""
        found = {each["metadata"]["name"]: each for each in self.objects(RESOURCE)}
        where = f"in namespace {self.namespace}" if self.namespace else "in this namespace"
        if not found:
            raise KubectlFailed(f"there is no SomaMemory {where}: choose another by -n")
        if name and name not in found:
            raise KubectlFailed(f"there is no SomaMemory {name} {where}, but {', '.join(sorted(found))}")
        if not name and len(found) > 1:
            raise KubectlFailed(f"there are several {where}, name one: {', '.join(sorted(found))}")
        return found[name] if name else next(iter(found.values()))
