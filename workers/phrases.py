"""What each reason says: its clause with places for the values, its next step, and a word to count by.

Only `workers.wording` reads this. A clause begins with a word of its own, never with a value.
"""

from workers.reasons import Code

CLAUSES: dict[Code, str] = {
    Code.PROTECTED_REFERENCE: "the name {reference} is protected by {pattern}",
    Code.PROTECTED_LABEL: "the label {label} protects it",
    Code.PROTECTED_NAME: "its name is protected by {pattern}",
    Code.PROTECTED_FROM_SLACK: "it is protected from Slack by {by:person} {until:until} ({pattern})",
    Code.OWN: "it belongs to Safe Prune itself ({what:word})",
    Code.IN_USE: "container {container} uses it ({state:word})",
    Code.NOT_STOPPED: "it is {state:word}",
    Code.RESTART_POLICY: "its restart policy is {policy:word}, so it is meant to come back",
    Code.WRITABLE_LAYER: "{size:size} were written inside it, and more than {limit:size} may be data",
    Code.OWNED: "it is owned by {owner:word} ({project})",
    Code.PREDEFINED: "Docker made it and needs it",
    Code.CONFIG_ONLY: "it holds settings that other networks are made with (config-only)",
    Code.SWARM: "it belongs to a swarm",
    Code.PARENT: "image {child} is built on it",
    Code.BUILT_UPON: "a build began from it {since:when}, so it stays at least until {until:when}",
    Code.CURRENT_VERSION: "it is the version of {repository} in use",
    Code.PREVIOUS_VERSION: "it is the way back for {repository} (version {position:word} of {keep:word})",
    Code.NEWER_VERSION: "it arrived after the newest version of {repository} that ran",
    Code.UNPLACED_VERSION: "it may have come after the version of {repository} that runs",
    Code.WAY_BACK_DROPPED: "the engine dropped a version of {repository}, so all that is left of it stays",
    Code.YOUNG: "it is new here since {since:when} ({evidence:word}) and stays at least until {until:when}",
    Code.USED_LATELY: "it was last used {since:when} and stays at least until {until:when}",
    Code.STOPPED_LATELY: "it stopped {since:when} and stays at least until {until:when}",
    Code.RECENTLY_USED: "it was in use until {since:when} and stays at least until {until:when}",
    Code.AGE_UNKNOWN: "its age on this host is unknown",
    Code.UNREADABLE: "not everything about it could be read ({what})",
    Code.CACHE_MOUNT: "it is a cache that builds write to",
    Code.CACHE_IN_USE: "a build is using it",
    Code.CACHE_PARENT: "build cache record {child} needs it",
    Code.CACHE_BUDGET: "it is among the newest {keep:size} of build cache, which stay",
    Code.NOT_RESTORABLE: "no registry is known to give it back",
    Code.SEVERAL_REPOSITORIES: "it has digests of {repositories}, and Docker would take it only by force",
    Code.ARCHIVE_FULL: "the archive has no room for its {size:size}, only for {room:size}",
    Code.ARCHIVE_UNUSABLE: "nothing can be saved in the archive {folder:path} ({detail})",
    Code.OVER_SIZE: "this plan is full at {limit:word}",
    Code.LARGER_THAN_A_PLAN: "its {size:size} are more than any plan may hold ({limit:size})",
    Code.NEEDS_KEPT: "what depends on it stays ({object})",
    Code.KIND_LEFT_OUT: "this plan leaves out {kind:kind}",
    Code.VOLUME: "no volume is ever removed",
    Code.STOPPED: "it has been stopped {since:since} (exit code {exit_code:word})",
    Code.NEVER_STARTED: "it was created and never started {since:since}",
    Code.UNUSED: "no container is known to have used it {since:since}",
    Code.UNTAGGED: "it is untagged and no container is known to have used it {since:since}",
    Code.SUPERSEDED: "the version of {repository} in use stays, with {kept:n earlier version}",
    Code.NETWORK_UNUSED: "no container is known to have been connected to it {since:since}",
    Code.CACHE_UNUSED: "no build has used it {since:since}",
    Code.KIND_NOT_PLANNED: "the policy leaves {kind:kind} out of every plan",
    Code.NOT_ALL_READ: "the {kind:word} {object} could not be read ({what}), so nothing can be confirmed",
    Code.MORE_NOT_READ: "not read were {count:n other object} as well",
    Code.PATTERN_MATCHES_NOTHING: "the entry {pattern} in {key} matches nothing on this host",
    Code.PROTECTION_MATCHES_NOTHING: (
        "no {kind:word} on this host matches {pattern}, protected from Slack by {by:person} {until:until}"
    ),
    Code.NOTHING_CRITICAL: "the policy names no critical container, so nothing guards this host",
    Code.USE_UNKNOWN_BEFORE: "nothing is known about use before {since:when}",
    Code.NO_WAY_BACK: "no rollback image is on this host for {repository}, since the engine dropped it",
    Code.PART_OF: "this plan holds the largest objects and {left:n object} more would follow",
    Code.PLAN_TOO_SMALL: "{count:n object} ({size:size}) will stay, larger than a plan may be ({limit:size})",
    Code.UNUSUAL_SHARE: "{share:percent} of this host's images would go, and over {limit:percent} is unusual",
    Code.WAITING: "{count:n object} more (up to {size:size}) can go later, the first from {until:when} on",
    Code.UNRESTORABLE_COUNT: "no registry is known to give back {count:n image}",
    Code.ARCHIVED_FIRST: "{count:n image}, at most {size:size}, will be saved in the archive first",
    Code.ARCHIVE_TOO_SMALL: "{count:n image} of {size:size} will stay: the archive has room for {room:size}",
    Code.REGISTRY_SILENT: (
        "registry {registry} did not say whether it gives {count:n digest} back ({detail}),"
        " which counts as not restorable"
    ),
    Code.IMAGE_ARRIVED: (
        "image {image} was {what:word} {ago:span} earlier, so nothing may be removed before {until:when}"
        " (this host must be quiet for {quiet:span})"
    ),
    Code.CONTAINER_CREATED: (
        "container {container} was created {ago:span} earlier, so nothing may be removed before {until:when}"
        " (this host must be quiet for {quiet:span})"
    ),
    Code.BUILD_UNDER_WAY: "a build is under way and holds {records:n build cache record}",
    Code.ENGINE_CLOCK_OFF: (
        "Docker's clock is {off:span} {way:word} this worker's, so what happens there is told too late and"
        " nothing may be removed"
    ),
    Code.ACTIVITY_UNKNOWN: "the engine does not tell whether somebody works on this host ({detail})",
    Code.DISK_STAYS_FULL: (
        "the filesystem of {path} is {share:percent} full, and this plan frees at most {freed:size} of the"
        " {used:size} in use there, which leaves it {after:percent} full; biggest there: {biggest:holders}"
    ),
    Code.INODES_STAY_SCARCE: (
        "the filesystem of {path} has {share:percent} of its inodes in use ({used:count} of {total:count}),"
        " and no engine tells how many a removal frees"
    ),
    Code.SHORT_OF_ROOM: (
        "the disk of {path} has {free:size} left, so what needs no room to go comes first: containers, then"
        " build cache, then images"
    ),
    Code.SHORT_OF_INODES: (
        "the disk of {path} has {free:count} of {total:count} inodes left, so what needs none to go comes"
        " first: containers, then build cache, then images"
    ),
    Code.UNREADABLE_ORDER: "the order cannot be read ({detail})",
    Code.BAD_SIGNATURE: "the signature with key {key} does not hold",
    Code.EXPIRED: "the order expired {at:when}",
    Code.NOT_YET_VALID: "the order is dated {at:when}, which is still to come on this host",
    Code.TOO_LONG_LIVED: "the order would be valid for more than {limit:span}",
    Code.OTHER_HOST: "the order is for host {host}",
    Code.OTHER_ENGINE: "the order is for another Docker engine ({engine})",
    Code.OTHER_TYPE: "the order is not what this job takes ({type})",
    Code.UNKNOWN_FUNCTION: "the job asks for {function}, which this worker never runs",
    Code.UNKNOWN_PLAN: "this host knows no plan {digest:short}",
    Code.PLAN_EXPIRED: "the plan expired {at:when}",
    Code.PLAN_USED: "the plan was already used by order {order}",
    Code.ORDER_USED: "order {order} was already used",
    Code.NOT_CLOSED: "what has to go before {object} was taken out ({needs})",
    Code.UNKNOWN_STEP: "the plan has no step {step:word}",
    Code.APPROVER_NOT_ACCEPTED: "this host does not accept orders confirmed by {approver}",
    Code.NEEDS_SECOND_PERSON: "a plan this unusual has to be confirmed by somebody who did not ask for it",
    Code.NOTHING_TO_DO: "the plan holds nothing to remove",
    Code.ENGINE_TOO_OLD: "engine {engine} is older than what Safe Prune removes on (API {ours})",
    Code.ENGINE_TOO_NEW: "engine {engine} is newer than what Safe Prune removes on (API {ours})",
    Code.ENGINE_NOT_DOCKER: "this is {engine}, and Safe Prune removes on Docker only (API {ours})",
    Code.FROZEN: "this host was frozen by {by:person} {at:when} ({why})",
    Code.PROTECTED_MEANWHILE: "the {kind:word} {pattern} was protected by {by:person} during the run",
    Code.STANDING_UNREADABLE: "what this host was told to keep to cannot be read ({detail})",
    Code.OTHER_ORDER: "the stop is for another order ({order})",
    Code.BAD_PATTERN: "the pattern {pattern} cannot be read ({detail})",
    Code.NOT_PROTECTED: "no protection from Slack reads {pattern}",
    Code.POLICY_CHANGED: (
        "the host's policy changed after the plan was made, from {planned:short} then to {now:short} now"
    ),
    Code.POLICY_INVALID: "the policy file {file} cannot be used ({detail})",
    Code.ENGINE_UNREACHABLE: "the Docker engine does not answer ({detail})",
    Code.BUSY: "another run holds this engine ({detail})",
    Code.HELD: (
        "another run holds this engine, confirmed by {by:person} and under way since {since:when}"
        " (plan {plan:short})"
    ),
    Code.NO_LOCK: "the lock of this engine in {folder} cannot be used ({detail})",
    Code.LEDGER_UNUSABLE: "the ledger {file} cannot be used ({detail}), so nothing is removed here",
    Code.CLOCK_OFF: "this host's clock is {off:span} or more {way:word} the bot's, so it is sent no order",
    Code.KEY_NOT_HELD: "this host does not hold key {key}, which the bot signs with, so it obeys nothing",
    Code.OTHER_LEDGER: "this engine belongs to ledger {theirs}, and this worker writes to ledger {ours}",
    Code.LEDGER_PUT_BACK: (
        "ledger {ledger} was put back from an older copy: it does not know order {order}, which it consumed"
    ),
    Code.PLAN_BEFORE_ADOPTION: "the plan is from before {at:when}, when this ledger took the engine over",
    Code.CRITICAL_MATCHES_NOTHING: "the critical entry {entry} matches no container",
    Code.CRITICAL_NOT_RUNNING: "critical container {container} is not running ({state:word})",
    Code.CRITICAL_UNHEALTHY: "critical container {container} is unhealthy",
    Code.CRITICAL_STARTING: "critical container {container} is still starting",
    Code.CRITICAL_UNSTEADY: "critical container {container} does not hold still ({restarts:n restart})",
    Code.PROBE_FAILED: "the probe {probe} fails ({detail})",
    Code.HEALTH_REGRESSED: "container {container} was {before:word} before and is {after:word} now",
    Code.CONTAINER_LOST: "container {container} ran before and is gone now",
    Code.UNPLANNED_REMOVAL: "the engine removed {object}, which was not planned",
    Code.BUILD_BEGAN: "a build began during the run and holds {records:n build cache record}",
    Code.TERMINATED: "the worker was told to stop",
    Code.STOP_ORDERED: "the run was stopped by {by:person}",
    Code.STOP_UNREADABLE: "whether somebody stops the run could not be read for {seconds:span}",
    Code.INTERRUPTED: "the worker died during the run",
    Code.DEADLINE: "the run reached its time limit",
    Code.TOO_MANY_FAILURES: "{limit:n removal} failed",
    Code.ENGINE_SLOW: "the Docker engine takes {now:word} ms to answer, and took {usual:word} ms before",
    Code.CHANGED: "it changed after the preview ({what})",
    Code.BECAME_USED: "container {container} uses it now",
    Code.USED_MEANWHILE: "container {container} used it during the run",
    Code.BUILT_UPON_MEANWHILE: "image {image} came during the run and is made of it",
    Code.REPOSITORY_USED: "container {container} came since and uses {repository}, so it may be the way back",
    Code.BECAME_PROTECTED: "it is protected now ({what})",
    Code.RECENT_EVENT: "the name {reference} was touched within the last minutes",
    Code.ENGINE_SAYS_IN_USE: "the engine says that it is in use ({detail})",
    Code.EXCLUDED: "it was taken out before the confirmation",
    Code.DEPENDS_ON: "what has to go before it did not ({object})",
    Code.ALREADY_GONE: "it was gone before its turn",
    Code.ARCHIVE_FAILED: "it could not be saved in the archive, so it stays ({detail})",
    Code.ENGINE_ERROR: "the engine answered with an error ({detail})",
    Code.STATE_UNKNOWN: "the engine did not say whether it is gone ({detail})",
    Code.RUN_STOPPED: "the run stopped before its turn",
    Code.NOT_LOOKED_AT: "how the host is after the run could not be seen ({detail})",
    Code.VOLUMES_NOT_SEEN: (
        "neither the disk nor whether all volumes are still there could be seen after the run ({detail})"
    ),
    Code.NOT_MEASURED: "the disk could not be measured after the run ({detail})",
    Code.STARTED_ANEW: "what ran before has started anew since, as when Docker or the host is restarted",
    Code.LOST_RACE: "container {container} was made from image {image} while that was being removed",
    Code.BROUGHT_BACK: "image {image} was brought back",
    Code.NOT_BROUGHT_BACK: "image {image} could not be brought back",
    Code.VOLUME_MISSING: "volume {volume} was there before the run and is gone; no run removes volumes",
    Code.RUN_CUT_OFF: (
        "run {run:short}, begun {at:when}, was cut off and is not reported yet, so objects of it may be gone"
    ),
    Code.RESERVE_USED: "the disk of the ledger is full, so this is written down in {size:size} kept for that",
    Code.FREED_LESS: "{freed:size} were freed where {expected:size} were expected",
    Code.NOTHING_REMOVED_YET: "nothing was removed on this host yet, as far as its ledger knows",
    Code.RUN_FORGOTTEN: "this host has no report of a run {run}",
    Code.RUN_UNKNOWN: "no run on this host is called {run}; most like it: {alike}",
    Code.RUN_AMBIGUOUS: "more than one run on this host is called {run}: {alike}",
    Code.NOT_REMOVED_BY_RUN: "run {run:short} removed nothing called {object}; nearest to it: {alike}",
    Code.ALREADY_THERE: "it is on this host already",
    Code.ONLY_SHOWN: "what was written inside it is gone, so the command for one like it is only shown",
    Code.ONLY_SHOWN_WITHOUT_IMAGE: (
        "what was written inside it is gone, so the command for one like it is only shown; the image that it"
        " was made of, {image}, is not here and does not come back by this"
    ),
    Code.COMMANDS_NOT_KEPT: (
        "what {count:n container} ran was not kept, so the command shown starts what its image starts"
    ),
    Code.COMES_WITH_BUILDS: "build cache comes back with the next build",
    Code.NO_SOURCE: "no registry is known to have had it",
    Code.NOT_GIVEN_BACK: "the registry has {reference} no more",
    Code.WAY_BACK_FORGOTTEN: "it went {since:when}, and ways back are kept for {kept:span}",
    Code.TAG_TAKEN: "the tag {name} names another image by now ({image:short}) and is left there",
    Code.NAME_TAKEN: "another network of its name came since ({network:short})",
    Code.ADDRESSES_TAKEN: "its addresses {subnet} overlap with those of network {network}",
    Code.NO_ROOM: "at least {needed:size} are needed and {free:size} are left on the engine's disk",
    Code.ROOM_UNKNOWN: "how much room is left on the engine's disk cannot be read from here",
    Code.MAY_NOT_FIT: "up to {needed:size} are needed on the way, {free:size} are left on the engine's disk",
    Code.REGISTRIES_NOT_ASKED: "no registry was asked whether it still gives {count:n image} back",
    Code.OTHER_CONTENT: "its registry gave another image for the digest ({found:short}), left untagged",
    Code.DIGEST_LACKING: "image {image} came back, and its digest in {repository} did not",
    Code.ARCHIVE_DAMAGED: "its archive {file} is damaged and is kept aside as {aside}",
    Code.ARCHIVE_UNREADABLE: "its archive could not be read ({detail})",
    Code.NOTHING_TO_RESTORE: "the plan holds nothing to bring back",
    Code.RESTORE_PLAN_EXPIRED: "the plan of the restore expired {at:when}",
    Code.RESTORE_PLAN_USED: "the plan of the restore was already used by order {order}",
    Code.RESTORE_PLAN_UNKNOWN: "this host knows no plan of a restore {digest:short}",
    Code.RESTORE_INTERRUPTED: "the worker died during the restore",
    Code.RESTORE_ENDED: "the restore ended before its turn",
    Code.RESTORE_STOPPED: "the restore was stopped by {by:person}",
    Code.RESTORE_TERMINATED: "the worker was told to stop",
    Code.RESTORE_DEADLINE: "the restore reached its time limit",
}

NEW_PREVIEW = "Ask for a new preview."
SAME_VERSIONS = "Check that the bot and this host's worker run the same version."
LOOK_AT_CONTAINER = (
    "Nothing is removed here before it runs, is well and holds still:"
    " look at its log, then ask for a new preview."
)
LOOK_AT_RUNNING = "Look at this container first."

PLAN_RESTORE_AGAIN = "Plan it again; on the host, python -m workers restore RUN does."
NAME_A_RUN = "Name it by its id or the id's beginning; before an object whose name looks like one, put last."
RAISE_MAX_BYTES = "Raise max_bytes in the policy."
ONCE_REFUSED = "once refused, ask for a new preview (on the host, --confirm takes this plan still)."
EXECUTE_THEN = f"Execute it then; {ONCE_REFUSED}"

NEXT_STEPS: dict[Code, str] = {
    Code.KIND_NOT_PLANNED: "Its key kinds says what may be planned at all.",
    Code.NOT_ALL_READ: (
        "Look at it with docker inspect, and at the engine's log, before the next preview."
        " A name that cannot be read goes with docker rmi NAME, once docker tag has given its image another."
    ),
    Code.PATTERN_MATCHES_NOTHING: "Check its spelling.",
    Code.PROTECTION_MATCHES_NOTHING: (
        "It holds for what may come; if it was meant for something that is here, check its spelling."
    ),
    Code.NOTHING_CRITICAL: "Name what must stay up under critical_containers.",
    Code.NO_WAY_BACK: (
        "Nothing of it is planned. A tag that moves takes the old image along on this image store: give each"
        " version a tag of its own, or keep its digest."
    ),
    Code.UNUSUAL_SHARE: "Somebody other than who asked has to confirm it; on the host, --unusual does.",
    Code.REGISTRY_SILENT: "Check that this host reaches it and is logged in there.",
    Code.IMAGE_ARRIVED: EXECUTE_THEN,
    Code.CONTAINER_CREATED: EXECUTE_THEN,
    Code.BUILD_UNDER_WAY: f"Execute it when the build has ended; {ONCE_REFUSED}",
    Code.ENGINE_CLOCK_OFF: f"Set the clocks of both; {ONCE_REFUSED}",
    Code.ACTIVITY_UNKNOWN: f"Look at Docker on the host; {ONCE_REFUSED}",
    Code.DISK_STAYS_FULL: "Pruning cannot help there; look at what is biggest.",
    Code.INODES_STAY_SCARCE: "Look for folders of many small files; du --inodes counts them.",
    Code.UNREADABLE_ORDER: SAME_VERSIONS,
    Code.BAD_SIGNATURE: "If nobody forged it, give this host the bot's current public key.",
    Code.EXPIRED: NEW_PREVIEW,
    Code.NOT_YET_VALID: "Compare the clocks of the bot and this host.",
    Code.TOO_LONG_LIVED: SAME_VERSIONS,
    Code.OTHER_HOST: "Check that no two workers share a queue.",
    Code.OTHER_ENGINE: NEW_PREVIEW,
    Code.OTHER_TYPE: SAME_VERSIONS,
    Code.UNKNOWN_FUNCTION: "Find out who writes to Redis besides the bot.",
    Code.UNKNOWN_PLAN: NEW_PREVIEW,
    Code.PLAN_EXPIRED: NEW_PREVIEW,
    Code.PLAN_USED: NEW_PREVIEW,
    Code.ORDER_USED: NEW_PREVIEW,
    Code.NOT_CLOSED: NEW_PREVIEW,
    Code.UNKNOWN_STEP: NEW_PREVIEW,
    Code.APPROVER_NOT_ACCEPTED: "The approvers in the host's policy file say who may.",
    Code.NEEDS_SECOND_PERSON: "Ask another approver; max_share in the policy says what is usual.",
    Code.ENGINE_TOO_OLD: "Bring Docker on the host to 20.10 or later.",
    Code.ENGINE_TOO_NEW: "Bring Safe Prune on the host up to date.",
    Code.ENGINE_NOT_DOCKER: "Remove by hand what the preview names, or run Docker there.",
    Code.FROZEN: (
        "Nothing is removed there until it is unfrozen: /prune unfreeze in Slack,"
        " or python -m workers unfreeze on the host."
    ),
    Code.PROTECTED_MEANWHILE: NEW_PREVIEW,
    Code.STANDING_UNREADABLE: "Look at the ledger and its disk; python -m workers doctor checks them.",
    Code.OTHER_ORDER: SAME_VERSIONS,
    Code.BAD_PATTERN: SAME_VERSIONS,
    Code.NOT_PROTECTED: "What the policy file protects can only be changed there.",
    Code.POLICY_CHANGED: NEW_PREVIEW,
    Code.POLICY_INVALID: "Correct it on the host; python -m workers doctor checks it.",
    Code.ENGINE_UNREACHABLE: "Look at Docker on the host; the worker goes on as soon as it answers.",
    Code.BUSY: "Wait for it to end and try again.",
    Code.HELD: (
        "Try again when it is over. /prune stop ends it after the object in hand, and a freeze does that also"
        " where it was begun on the host itself."
    ),
    Code.NO_LOCK: "Make that folder (PRUNE_ENGINES_DIR) one that the worker can write to.",
    Code.LEDGER_UNUSABLE: "Look at its disk and at who may write there; python -m workers doctor checks it.",
    Code.CLOCK_OFF: "Set the clocks of both machines (timedatectl shows them), then ask for a new preview.",
    Code.KEY_NOT_HELD: (
        "Give it the line that python -m bot keys prints (PRUNE_BOT_KEYS), restart its worker, and ask again."
    ),
    Code.OTHER_LEDGER: (
        "Let the worker of that ledger do it; if it is lost, python -m workers adopt on the host takes over."
    ),
    Code.LEDGER_PUT_BACK: (
        "Put a newer copy back; if there is none, python -m workers adopt on the host has this one go on."
    ),
    Code.PLAN_BEFORE_ADOPTION: NEW_PREVIEW,
    Code.CRITICAL_MATCHES_NOTHING: (
        "Nothing is removed here before you start it, or correct critical_containers in the policy."
    ),
    Code.CRITICAL_NOT_RUNNING: LOOK_AT_CONTAINER,
    Code.CRITICAL_UNHEALTHY: LOOK_AT_CONTAINER,
    Code.CRITICAL_STARTING: "Ask for a new preview when it has started.",
    Code.CRITICAL_UNSTEADY: LOOK_AT_CONTAINER,
    Code.PROBE_FAILED: "Look at what it asks, and ask for a new preview when it answers.",
    Code.HEALTH_REGRESSED: LOOK_AT_RUNNING,
    Code.CONTAINER_LOST: LOOK_AT_RUNNING,
    Code.UNPLANNED_REMOVAL: "The host's ledger says how to get it back.",
    Code.BUILD_BEGAN: "What was left over is in the next preview; ask for it when the build has ended.",
    Code.TERMINATED: "What was left over is in the next preview.",
    Code.STOP_ORDERED: "What was left over is in the next preview.",
    Code.STOP_UNREADABLE: "Look at Redis; what was left over is in the next preview.",
    Code.INTERRUPTED: "It does not go on by itself; what was left over is in the next preview.",
    Code.ENGINE_ERROR: "Look at what it says, and at the engine's log on the host.",
    Code.DEADLINE: "What was left over is in the next preview.",
    Code.ENGINE_SLOW: "Look at the load and the disks of the host before the next preview.",
    Code.TOO_MANY_FAILURES: "Look at the engine's log on the host before the next preview.",
    Code.NOT_LOOKED_AT: "Look at Docker and at the services on the host.",
    Code.VOLUMES_NOT_SEEN: "No run removes volumes; docker volume ls on the host lists those that are there.",
    Code.NOT_MEASURED: "How full it is by now stands in the next preview.",
    Code.NOT_BROUGHT_BACK: "The host's ledger says how to get it back.",
    Code.VOLUME_MISSING: "Find out who removed it.",
    Code.RUN_CUT_OFF: (
        "The next run reports it first, and so does a worker that starts;"
        " on the host, python -m workers recover does."
    ),
    Code.RUN_FORGOTTEN: "Its ledger may be another one by now: look at the services on the host.",
    Code.RUN_UNKNOWN: NAME_A_RUN,
    Code.RUN_AMBIGUOUS: NAME_A_RUN,
    Code.NOT_REMOVED_BY_RUN: "Name an id or its beginning, a name or a tag.",
    Code.NO_ROOM: "Make room, or name only those objects of the run that are needed.",
    Code.ARCHIVE_UNUSABLE: "Until it can be, images that no registry gives back stay.",
    Code.LARGER_THAN_A_PLAN: RAISE_MAX_BYTES,
    Code.PLAN_TOO_SMALL: RAISE_MAX_BYTES,
    Code.ARCHIVE_TOO_SMALL: "Make room on its disk, or raise archive_max_bytes in the policy.",
    Code.REGISTRIES_NOT_ASKED: "With probe_registry in the policy they are asked before a plan says so.",
    Code.COMMANDS_NOT_KEPT: (
        "Write what it ran behind the image. With keep_commands = true in the policy it is kept of later"
        " runs, as are the values of labels, with the secrets in them."
    ),
    Code.RESTORE_PLAN_EXPIRED: PLAN_RESTORE_AGAIN,
    Code.RESTORE_PLAN_USED: PLAN_RESTORE_AGAIN,
    Code.RESTORE_PLAN_UNKNOWN: PLAN_RESTORE_AGAIN,
    Code.RESTORE_INTERRUPTED: f"What came back stays. {PLAN_RESTORE_AGAIN}",
    Code.RESTORE_STOPPED: PLAN_RESTORE_AGAIN,
    Code.RESTORE_TERMINATED: PLAN_RESTORE_AGAIN,
    Code.RESTORE_DEADLINE: PLAN_RESTORE_AGAIN,
}

# What fills a disk, by the word that stands in a reason.
HOLDERS: dict[str, str] = {
    "log": "the log of {name}",
    "volume": "volume {name}",
    "images": "images that stay",
    "writable-layers": "what containers wrote",
    "build-cache": "build cache that stays",
    "rest": "what Docker does not count",
}

# How kept and refused objects are counted together: "Kept 48: in use 31, protected 7".
LABELS: dict[Code, str] = {
    Code.PROTECTED_REFERENCE: "protected",
    Code.PROTECTED_LABEL: "protected",
    Code.PROTECTED_NAME: "protected",
    Code.PROTECTED_FROM_SLACK: "protected",
    Code.OWN: "Safe Prune's own",
    Code.NOT_STOPPED: "running",
    Code.RESTART_POLICY: "meant to come back",
    Code.WRITABLE_LAYER: "may hold data",
    Code.OWNED: "part of a project",
    Code.PREDEFINED: "Docker's own",
    Code.CONFIG_ONLY: "settings of networks",
    Code.SWARM: "part of a swarm",
    Code.PARENT: "needed by another image",
    Code.BUILT_UPON: "begun from by builds",
    Code.CURRENT_VERSION: "version in use",
    Code.PREVIOUS_VERSION: "way back",
    Code.NEWER_VERSION: "newer than what runs",
    Code.UNPLACED_VERSION: "order of versions unknown",
    Code.WAY_BACK_DROPPED: "way back dropped",
    Code.YOUNG: "new here",
    Code.USED_LATELY: "used lately",
    Code.STOPPED_LATELY: "stopped lately",
    Code.RECENTLY_USED: "used lately",
    Code.AGE_UNKNOWN: "age unknown",
    Code.CACHE_MOUNT: "written to by builds",
    Code.CACHE_IN_USE: "in use",
    Code.CACHE_PARENT: "needed by other cache",
    Code.CACHE_BUDGET: "newest cache",
    Code.NOT_RESTORABLE: "not restorable",
    Code.SEVERAL_REPOSITORIES: "of several repositories",
    Code.ARCHIVE_FULL: "no room in the archive",
    Code.ARCHIVE_UNUSABLE: "archive not usable",
    Code.ARCHIVE_FAILED: "not saved",
    Code.OVER_SIZE: "left for the next plan",
    Code.LARGER_THAN_A_PLAN: "larger than a plan",
    Code.NEEDS_KEPT: "needed by what stays",
    Code.KIND_LEFT_OUT: "left out",
    Code.CHANGED: "changed after the preview",
    Code.BECAME_USED: "in use by now",
    Code.USED_MEANWHILE: "used just now",
    Code.BUILT_UPON_MEANWHILE: "built upon just now",
    Code.REPOSITORY_USED: "way back by now",
    Code.BECAME_PROTECTED: "protected by now",
    Code.RECENT_EVENT: "touched just now",
    Code.ENGINE_SAYS_IN_USE: "in use by now",
    Code.EXCLUDED: "taken out",
    Code.DEPENDS_ON: "waiting for another step",
    Code.ALREADY_GONE: "gone before",
    Code.RUN_STOPPED: "not reached",
}
