"""Every reason that a condition can carry: a closed list, each explained in docs/conditions.md."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a condition stands as it does. The value is what people see and search for."""

    # All is well, or on its way
    READY = "Ready"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    HIBERNATED = "Hibernated"
    DISABLED = "Disabled"
    NOTHING_TO_DO = "NothingToDo"

    # Something that the spec asks for beside the components is not there
    KIND_MISSING = "KindMissing"
    BACKUP_FAILED = "BackupFailed"
    BACKUP_OVERDUE = "BackupOverdue"
    NO_VOLUMES = "NoVolumes"

    # A dump is brought back
    RESTORING = "Restoring"
    RESTORE_FAILED = "RestoreFailed"
    RESTORE_LOST = "RestoreLost"

    # Passwords and tokens
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a word, no secret
    KEY_MISSING = "KeyMissing"
    KEY_INVALID = "KeyInvalid"
    ROTATING = "Rotating"
    ROTATION_FAILED = "RotationFailed"

    # Certificates
    NOT_ENCRYPTED = "NotEncrypted"
    CERTIFICATE_INVALID = "CertificateInvalid"
    CERTIFICATE_EXPIRING = "CertificateExpiring"

    # A store that somebody else runs
    PREFLIGHT_RUNNING = "PreflightRunning"
    PREFLIGHT_FAILED = "PreflightFailed"
    WAITING_FOR_PREFLIGHT = "WaitingForPreflight"
    DNS_FAILED = "DnsFailed"
    UNREACHABLE = "Unreachable"
    TLS_FAILED = "TlsFailed"
    LOGIN_FAILED = "LoginFailed"
    UNSUPPORTED_VERSION = "UnsupportedVersion"
    MISSING_RIGHTS = "MissingRights"
    POOLER_IN_BETWEEN = "PoolerInBetween"

    # The spec is refused: nothing is applied until a person changes it
    INVALID_SPEC = "InvalidSpec"
    NAME_TOO_LONG = "NameTooLong"
    RESERVED_SETTING = "ReservedSetting"
    VOLUME_SHRINK = "VolumeShrink"
    STORAGE_CLASS_CHANGED = "StorageClassChanged"
    STORAGE_CLASS_UNKNOWN = "StorageClassUnknown"
    PERSISTENCE_REMOVED = "PersistenceRemoved"
    DATA_WOULD_BE_LOST = "DataWouldBeLost"
    DATA_LEFT_BEHIND = "DataLeftBehind"
    RESTORE_REFUSED = "RestoreRefused"
    DOWNGRADE = "Downgrade"
    UNSUPPORTED_UPGRADE = "UnsupportedUpgrade"
    SECRET_NAME_TAKEN = "SecretNameTaken"  # noqa: S105
    CREDENTIALS_LOST = "CredentialsLost"

    # The operator could not do its work; it tries again
    APPLY_REFUSED = "ApplyRefused"
    SERVER_ERROR = "ServerError"
    CLUSTER_UNAVAILABLE = "ClusterUnavailable"
    FORBIDDEN = "Forbidden"
    CONFLICT = "Conflict"
    INTERNAL_ERROR = "InternalError"

    # A new release of the operator brings other store images
    CHANGES_PENDING = "ChangesPending"
    WAITING_FOR_STORE = "WaitingForStore"
    FINALIZING_FEATURES = "FinalizingFeatures"

    # One component
    WAITING = "Waiting"
    WAITING_FOR_POSTGRES = "WaitingForPostgres"
    WAITING_FOR_MIGRATION = "WaitingForMigration"
    MIGRATION_RUNNING = "MigrationRunning"
    MIGRATION_FAILED = "MigrationFailed"
    JOB_SUSPENDED = "JobSuspended"
    ROLLING_OUT = "RollingOut"
    ROLLOUT_PAUSED = "RolloutPaused"
    REPLACING = "Replacing"
    PODS_REFUSED = "PodsRefused"
    UNSCHEDULABLE = "Unschedulable"
    VOLUME_PENDING = "VolumePending"
    VOLUME_RESIZING = "VolumeResizing"
    VOLUME_GROWTH_REFUSED = "VolumeGrowthRefused"
    EXPANSION_NOT_SUPPORTED = "ExpansionNotSupported"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    INVALID_IMAGE_NAME = "InvalidImageName"
    CONTAINER_CONFIG_INVALID = "ContainerConfigInvalid"
    CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
    OUT_OF_MEMORY = "OutOfMemory"
    NOT_READY = "NotReady"
