"""Why: every keep, removal, refusal, stop and finding as a code with its values.

Sentences are made of them in `workers.wording` alone. Codes are explanations, never a basis to decide on.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Code(StrEnum):
    """One meaning each; the comment names the parameters."""

    # Kept, by a protection.
    PROTECTED_REFERENCE = "protected_reference"  # pattern, reference
    PROTECTED_LABEL = "protected_label"  # label
    PROTECTED_NAME = "protected_name"  # pattern
    PROTECTED_FROM_SLACK = "protected_from_slack"  # pattern, by, until
    OWN = "own"  # what: worker, its compose project, its Redis
    # Kept, by what it is or who needs it.
    IN_USE = "in_use"  # container, state
    NOT_STOPPED = "not_stopped"  # state
    RESTART_POLICY = "restart_policy"  # policy
    WRITABLE_LAYER = "writable_layer"  # size, limit
    OWNED = "owned"  # owner, project
    PREDEFINED = "predefined"  #
    CONFIG_ONLY = "config_only"  #
    SWARM = "swarm"  #
    PARENT = "parent"  # child
    BUILT_UPON = "built_upon"  # since, until
    CURRENT_VERSION = "current_version"  # repository
    PREVIOUS_VERSION = "previous_version"  # repository, position, keep
    NEWER_VERSION = "newer_version"  # repository
    UNPLACED_VERSION = "unplaced_version"  # repository
    WAY_BACK_DROPPED = "way_back_dropped"  # repository
    YOUNG = "young"  # since, until, evidence
    USED_LATELY = "used_lately"  # since, until
    STOPPED_LATELY = "stopped_lately"  # since, until
    RECENTLY_USED = "recently_used"  # since, until
    AGE_UNKNOWN = "age_unknown"  #
    UNREADABLE = "unreadable"  # what
    CACHE_MOUNT = "cache_mount"  #
    CACHE_IN_USE = "cache_in_use"  #
    CACHE_PARENT = "cache_parent"  # child
    CACHE_BUDGET = "cache_budget"  # keep
    NOT_RESTORABLE = "not_restorable"  #
    SEVERAL_REPOSITORIES = "several_repositories"  # repositories
    ARCHIVE_FULL = "archive_full"  # size, room
    ARCHIVE_UNUSABLE = "archive_unusable"  # folder, detail
    OVER_SIZE = "over_size"  # limit
    LARGER_THAN_A_PLAN = "larger_than_a_plan"  # size, limit
    NEEDS_KEPT = "needs_kept"  # object
    KIND_LEFT_OUT = "kind_left_out"  # kind
    VOLUME = "volume"  #
    # Removed.
    STOPPED = "stopped"  # since, exit_code
    NEVER_STARTED = "never_started"  # since
    UNUSED = "unused"  # since
    UNTAGGED = "untagged"  # since
    SUPERSEDED = "superseded"  # repository, kept
    NETWORK_UNUSED = "network_unused"  # since
    CACHE_UNUSED = "cache_unused"  # since
    # Said above a plan.
    KIND_NOT_PLANNED = "kind_not_planned"  # kind
    NOT_ALL_READ = "not_all_read"  # kind, object, what
    MORE_NOT_READ = "more_not_read"  # count
    PATTERN_MATCHES_NOTHING = "pattern_matches_nothing"  # key, pattern
    PROTECTION_MATCHES_NOTHING = "protection_matches_nothing"  # kind, pattern, by, until
    NOTHING_CRITICAL = "nothing_critical"  #
    USE_UNKNOWN_BEFORE = "use_unknown_before"  # since
    NO_WAY_BACK = "no_way_back"  # repository
    PART_OF = "part_of"  # left
    PLAN_TOO_SMALL = "plan_too_small"  # count, size, limit
    UNUSUAL_SHARE = "unusual_share"  # share, limit
    WAITING = "waiting"  # count, size, until
    UNRESTORABLE_COUNT = "unrestorable_count"  # count
    ARCHIVED_FIRST = "archived_first"  # count, size
    ARCHIVE_TOO_SMALL = "archive_too_small"  # count, size, room
    REGISTRY_SILENT = "registry_silent"  # registry, count, detail
    DISK_STAYS_FULL = "disk_stays_full"  # path, share, freed, used, after, biggest: of lines
    INODES_STAY_SCARCE = "inodes_stay_scarce"  # path, share, used, total
    SHORT_OF_ROOM = "short_of_room"  # path, free
    SHORT_OF_INODES = "short_of_inodes"  # path, free, total
    # Refused while somebody works on the host, and said above a plan.
    IMAGE_ARRIVED = "image_arrived"  # image, what, ago, quiet, until
    CONTAINER_CREATED = "container_created"  # container, ago, quiet, until
    BUILD_UNDER_WAY = "build_under_way"  # records
    ACTIVITY_UNKNOWN = "activity_unknown"  # detail
    ENGINE_CLOCK_OFF = "engine_clock_off"  # off, way
    # Refused: a request or an order.
    UNREADABLE_ORDER = "unreadable_order"  # detail
    BAD_SIGNATURE = "bad_signature"  # key
    EXPIRED = "expired"  # at
    NOT_YET_VALID = "not_yet_valid"  # at
    TOO_LONG_LIVED = "too_long_lived"  # limit
    OTHER_HOST = "other_host"  # host
    OTHER_ENGINE = "other_engine"  # engine
    OTHER_TYPE = "other_type"  # type
    UNKNOWN_FUNCTION = "unknown_function"  # function
    UNKNOWN_PLAN = "unknown_plan"  # digest
    PLAN_EXPIRED = "plan_expired"  # at
    PLAN_USED = "plan_used"  # order
    ORDER_USED = "order_used"  # order
    NOT_CLOSED = "not_closed"  # object, needs: names
    UNKNOWN_STEP = "unknown_step"  # step
    APPROVER_NOT_ACCEPTED = "approver_not_accepted"  # approver
    NEEDS_SECOND_PERSON = "needs_second_person"  #
    NOTHING_TO_DO = "nothing_to_do"  #
    ENGINE_TOO_OLD = "engine_too_old"  # engine, ours
    ENGINE_TOO_NEW = "engine_too_new"  # engine, ours
    ENGINE_NOT_DOCKER = "engine_not_docker"  # engine, ours
    FROZEN = "frozen"  # by, at, why
    PROTECTED_MEANWHILE = "protected_meanwhile"  # kind, pattern, by
    STANDING_UNREADABLE = "standing_unreadable"  # detail
    OTHER_ORDER = "other_order"  # order
    BAD_PATTERN = "bad_pattern"  # pattern, detail
    NOT_PROTECTED = "not_protected"  # pattern
    POLICY_CHANGED = "policy_changed"  # planned, now
    POLICY_INVALID = "policy_invalid"  # file, detail
    ENGINE_UNREACHABLE = "engine_unreachable"  # detail
    BUSY = "busy"  # detail
    HELD = "held"  # by, since, plan
    NO_LOCK = "no_lock"  # folder, detail
    LEDGER_UNUSABLE = "ledger_unusable"  # file, detail
    CLOCK_OFF = "clock_off"  # off, way
    KEY_NOT_HELD = "key_not_held"  # key
    OTHER_LEDGER = "other_ledger"  # theirs, ours
    LEDGER_PUT_BACK = "ledger_put_back"  # ledger, order
    PLAN_BEFORE_ADOPTION = "plan_before_adoption"  # at
    # Refused by the pre-check, or stopped by a regression.
    CRITICAL_MATCHES_NOTHING = "critical_matches_nothing"  # entry
    CRITICAL_NOT_RUNNING = "critical_not_running"  # container, state
    CRITICAL_UNHEALTHY = "critical_unhealthy"  # container
    CRITICAL_STARTING = "critical_starting"  # container
    CRITICAL_UNSTEADY = "critical_unsteady"  # container, restarts
    PROBE_FAILED = "probe_failed"  # probe, detail
    HEALTH_REGRESSED = "health_regressed"  # container, before, after
    CONTAINER_LOST = "container_lost"  # container
    UNPLANNED_REMOVAL = "unplanned_removal"  # object
    BUILD_BEGAN = "build_began"  # records
    TERMINATED = "terminated"  #
    STOP_ORDERED = "stop_ordered"  # by
    STOP_UNREADABLE = "stop_unreadable"  # seconds
    INTERRUPTED = "interrupted"  #
    DEADLINE = "deadline"  #
    TOO_MANY_FAILURES = "too_many_failures"  # limit
    ENGINE_SLOW = "engine_slow"  # now, usual
    # Refused or failed: one step.
    CHANGED = "changed"  # what
    BECAME_USED = "became_used"  # container
    USED_MEANWHILE = "used_meanwhile"  # container
    BUILT_UPON_MEANWHILE = "built_upon_meanwhile"  # image
    REPOSITORY_USED = "repository_used"  # repository, container
    BECAME_PROTECTED = "became_protected"  # what
    RECENT_EVENT = "recent_event"  # reference
    ENGINE_SAYS_IN_USE = "engine_says_in_use"  # detail
    EXCLUDED = "excluded"  #
    DEPENDS_ON = "depends_on"  # object
    ALREADY_GONE = "already_gone"  #
    ARCHIVE_FAILED = "archive_failed"  # detail
    ENGINE_ERROR = "engine_error"  # detail
    STATE_UNKNOWN = "state_unknown"  # detail
    RUN_STOPPED = "run_stopped"  #
    # Found after a run.
    NOT_LOOKED_AT = "not_looked_at"  # detail
    VOLUMES_NOT_SEEN = "volumes_not_seen"  # detail
    NOT_MEASURED = "not_measured"  # detail
    STARTED_ANEW = "started_anew"  #
    LOST_RACE = "lost_race"  # container, image
    BROUGHT_BACK = "brought_back"  # image
    NOT_BROUGHT_BACK = "not_brought_back"  # image
    VOLUME_MISSING = "volume_missing"  # volume
    RUN_CUT_OFF = "run_cut_off"  # run, at
    RESERVE_USED = "reserve_used"  # size
    FREED_LESS = "freed_less"  # expected, freed
    # Said of a restore: why there is no plan of one.
    NOTHING_REMOVED_YET = "nothing_removed_yet"  #
    RUN_FORGOTTEN = "run_forgotten"  # run: an order
    RUN_UNKNOWN = "run_unknown"  # run, alike: its own runs that are most like it
    RUN_AMBIGUOUS = "run_ambiguous"  # run, alike: the runs that it means
    NOT_REMOVED_BY_RUN = "not_removed_by_run"  # object, run, alike: names that are most like it
    # Said of a restore: of one object, above its plan, or after it.
    ALREADY_THERE = "already_there"  #
    ONLY_SHOWN = "only_shown"  #
    ONLY_SHOWN_WITHOUT_IMAGE = "only_shown_without_image"  # image
    COMMANDS_NOT_KEPT = "commands_not_kept"  # count
    COMES_WITH_BUILDS = "comes_with_builds"  #
    NO_SOURCE = "no_source"  #
    NOT_GIVEN_BACK = "not_given_back"  # reference
    WAY_BACK_FORGOTTEN = "way_back_forgotten"  # since, kept
    TAG_TAKEN = "tag_taken"  # name, image
    NAME_TAKEN = "name_taken"  # network
    ADDRESSES_TAKEN = "addresses_taken"  # subnet, network
    NO_ROOM = "no_room"  # needed, free
    ROOM_UNKNOWN = "room_unknown"  #
    MAY_NOT_FIT = "may_not_fit"  # needed, free
    REGISTRIES_NOT_ASKED = "registries_not_asked"  # count
    OTHER_CONTENT = "other_content"  # found
    DIGEST_LACKING = "digest_lacking"  # image, repository
    ARCHIVE_DAMAGED = "archive_damaged"  # file, aside
    ARCHIVE_UNREADABLE = "archive_unreadable"  # detail
    NOTHING_TO_RESTORE = "nothing_to_restore"  #
    RESTORE_PLAN_EXPIRED = "restore_plan_expired"  # at
    RESTORE_PLAN_USED = "restore_plan_used"  # order
    RESTORE_PLAN_UNKNOWN = "restore_plan_unknown"  # digest
    RESTORE_INTERRUPTED = "restore_interrupted"  #
    RESTORE_ENDED = "restore_ended"  #
    RESTORE_STOPPED = "restore_stopped"  # by
    RESTORE_TERMINATED = "restore_terminated"  #
    RESTORE_DEADLINE = "restore_deadline"  #


# What is worse after a run than before it.
HARM = frozenset({Code.HEALTH_REGRESSED, Code.CONTAINER_LOST, Code.VOLUME_MISSING, Code.PROBE_FAILED})
# What leaves it open whether anything is.
NOT_SEEN = frozenset({Code.NOT_LOOKED_AT, Code.VOLUMES_NOT_SEEN})


class Reason(BaseModel):
    """A code with the values its sentence needs; times are ISO 8601, sizes bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    params: dict[str, str | int] = {}


def reason(code: Code, /, **params: str | int) -> Reason:
    """Write a reason as one writes a sentence: its code, then its values."""
    return Reason(code=code, params=params)
