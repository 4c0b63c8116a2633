"""What every face is given; `wiring` makes it."""

from typing import Protocol

from somafractalmemory.security.admission import Admission
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.health import Health


class Runtime(Protocol):
    """An open service with its gate; routes find it in `request.app.state.runtime`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def service(self) -> MemoryService: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def health(self) -> Health: ...
