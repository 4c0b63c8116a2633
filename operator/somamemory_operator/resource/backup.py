# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""Dumps of Postgres, the truth: when they are made, where they are kept, and how one is brought back."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from somamemory_operator.resource.base import DnsName, Model, Quantity, rules
from somamemory_operator.resource.workload import Resources, Workload

Schedule = Annotated[
    str, StringConstraints(pattern=r"^(@(yearly|annually|monthly|weekly|daily|hourly)|\S+( \S+){4})$", max_length=128)
]
_SMALL = Resources(requests={"cpu": "50m", "memory": "96Mi"}, limits={"memory": "512Mi"})


class BackupVolume(Model):
    """Where the dumps are kept. The volume outlives the SomaMemory, whatever deletionPolicy says."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "!has(self.existingClaim) || "
                    "!(has(self.size) || has(self.storageClassName) || has(self.accessModes))"
                ),
                "existingClaim is a volume of your own: leave size, storageClassName and accessModes away",
            ),
        )
    )
    size: Quantity = "10Gi"
    """Size of the volume: some dumps' worth; can grow later where the storage class allows it."""
    storage_class_name: DnsName | None = None
    """Storage class; the cluster's default when absent. Fixed once the volume exists."""
    access_modes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]], Field(min_length=1, max_length=3)
    ] = ["ReadWriteOnce"]
    """Access modes of the volume."""
    existing_claim: DnsName | None = None
    """A volume claim of your own, instead of one that the operator makes."""


class Backup(Workload):
    """Dumps of Postgres by a schedule. Index and cache need none: they are made from Postgres again."""

    enabled: bool = True
    """Whether dumps are made; the volume with those that were made stays."""
    schedule: Schedule = "0 2 * * *"
    """When, in the words of cron."""
    time_zone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]+$", max_length=64)] | None = None
    """Time zone of the schedule, such as Europe/Berlin; that of the cluster, mostly UTC, when absent."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 7
    """How many dumps are kept; the oldest go."""
    active_deadline_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 21_600
    """How long a dump may take, with all its tries, before it is ended: one that hangs would block those after it."""
    max_age_hours: Annotated[int, Field(ge=1, le=87_600)] | None = None
    """How old the newest dump may become before BackupReady is False; by the schedule when absent."""
    volume: BackupVolume = BackupVolume()
    """Where the dumps are kept."""
    resources: Resources = _SMALL
    """CPU and memory of the container."""

    @property
    def oldest_hours(self) -> float:
        """How old the newest dump may become: the longest pause of the schedule, a late start, and the dump itself."""
        if self.max_age_hours is not None:
            return self.max_age_hours
        return _longest_pause_hours(self.schedule) + START_HOURS + self.active_deadline_seconds / 3600


def _longest_pause_hours(schedule: str) -> int:
    """Never less than between two times of the schedule: by the largest unit of which it does not take every one.

    Too long a pause is told too late, too short a one is a false alarm, and cron has too many words to be sure.
    """
    if schedule in _NAMED:
        return _NAMED[schedule]
    _, hour, day, month, weekday = (part not in ("*", "?", "*/1") for part in schedule.split())
    if month:
        return 366 * 24
    if weekday:  # beside a day it is another chance, not a further condition
        return 7 * 24
    if day:
        return 62 * 24  # the 31st of a month, and that of the month after next
    return 24 if hour else 1


START_HOURS = 1
"""How late a dump may start, when the cluster was busy or away."""
_NAMED = {
    "@hourly": 1,
    "@daily": 24,
    "@weekly": 7 * 24,
    "@monthly": 31 * 24,
    "@yearly": 366 * 24,
    "@annually": 366 * 24,
}


class Restore(Model):
    """A dump that is brought back, once. API and consumer have no pods meanwhile; then the index is made anew."""

    source: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][-A-Za-z0-9._]*$", max_length=200),
        Field(alias="from"),
    ]
    """Name of the dump on the volume of spec.backup, such as soma-20260131T020000Z.dump."""
    replace_existing: bool = False
    """Whether memories that are there may be replaced; without it a database that holds some is left alone."""
    run: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """To be raised when a dump that was restored already is to be restored once more."""
    active_deadline_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 86_400
    """How long it may take, with all its tries, before it is given up and nothing is changed: a day, to be generous."""

    @property
    def mark(self) -> str:
        """What says, on the Deployments and in the database, that this has been done."""
        return f"{self.source} #{self.run}"
