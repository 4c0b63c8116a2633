"""Qdrant's engine behind qdrant-edge: the index, without Qdrant's server."""

import os
import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from .server import LocalServer

_SOURCE = Path(__file__).parents[2] / "kind/images/qdrant-edge"


class QdrantEdgeServer(LocalServer):
    """One qdrant-edge with a key."""

    name = "qdrant-edge"
    api_key = "for-tests-only"

    @property
    def url(self) -> str:
        """For `qdrant-client`."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """The server makes its own folders."""

    def command(self) -> list[str]:
        """This Python has the engine."""
        return [sys.executable, "-m", "qdrant_edge_server"]

    def environment(self) -> dict[str, str]:
        """The variables of Qdrant's server."""
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_SOURCE), os.environ.get("PYTHONPATH")])),
            "QDRANT__SERVICE__HOST": "127.0.0.1",
            "QDRANT__SERVICE__HTTP_PORT": str(self.port),
            "QDRANT__SERVICE__API_KEY": self.api_key,
            "QDRANT__STORAGE__STORAGE_PATH": str(self.folder / "storage"),
        }

    def answers(self) -> bool:
        """The probe of the pod."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=1)) as connection:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == 200
        except (HTTPException, OSError):
            return False
