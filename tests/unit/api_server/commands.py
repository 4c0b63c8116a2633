"""The `soma` command over stores in this process, run as a shell would run it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from somafractalmemory.calling.inprocess import InProcess
from somafractalmemory.calling.requesting import Patience
from somafractalmemory.cli import run
from somafractalmemory.cli.options import Given
from somafractalmemory.client import Client
from tests.unit.api_server.conftest import TOKEN, World


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer."""
        return orjson.loads(self.out)


Soma = Callable[..., Done]


def soma_over(world: World, capsys: pytest.CaptureFixture[str], **variables: str) -> Soma:
    """Each run is a process of its own as far as it can tell: a new client, a new application, the same stores."""

    @contextmanager
    def connect(given: Given) -> Iterator[Client]:
        with Client(
            "http://soma",
            token=TOKEN,
            namespace=given.namespace,
            patience=Patience(attempts=1),
            transport=InProcess(world.app(**variables)).__enter__(),
        ) as client:
            yield client

    def soma(*arguments: str) -> Done:
        capsys.readouterr()
        code = run(arguments, connect=connect)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return soma
