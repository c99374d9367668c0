"""The first `policy.toml` of a host: safe defaults, and what runs there now proposed as critical (pure)."""

from collections.abc import Iterable

from workers.planning.facts import PROJECT, SERVICE
from workers.planning.inventory import Container
from workers.planning.policy import COMPOSE

TEMPLATE = """\
# What Safe Prune may remove on this host, and what it never touches. Volumes are never removed.
# A key that is missing has the value shown behind its "#", or none where that is an example; the first two
# must be written, even as [].

# Images that never go: references, globs, or name@sha256:... Names are compared whole: postgres:16 is not
# example/postgres:16. Images in use, and the versions before them, stay without being named here.
protected_images = []

# Containers that must be well before, during and after a cleanup: names, globs, compose:PROJECT/SERVICE.
# These run on this host now; take out what may be down.
critical_containers = [{critical}]

# Objects with one of these labels never go.
# protected_labels = ["safe-prune.keep=true"]
# protected_networks = []
# protected_containers = []

# Earlier versions that stay, for every repository in use: the way back.
# keep_previous = 1

# How long new things stay: since they came to this host, stopped, or were last used.
# image_grace = "24h"
# cache_grace = "24h"
# container_grace = "7d"
# network_grace = "7d"

# An image that was used less than this ago stays.
# image_unused_for = "14d"

# A stopped container into which more than this was written stays: it may be data.
# writable_limit = "1MB"

# What may be planned at all.
# kinds = ["container", "image", "network", "build-cache"]

# Images that no registry is known to give back: "flag" plans and marks them, "keep" keeps them, unless an
# archive (below) saves them.
# unrestorable_images = "flag"
# With true, registries are asked about what would go; without it no image is known to be restorable.
# probe_registry = false

# How long the way back of what was removed is kept: descriptions, digests, names. Environments never are;
# with true, what removed containers ran and the values of their labels are kept too, and may hold secrets.
# restore_for = "90d"
# keep_commands = false

# Images that no registry is known to give back are saved in this folder before they go, and restored from
# there: both keys, or none. It has to lie on another disk than the engine's data, or a copy would free
# nothing. Where there is no room, the image stays. To make room the oldest copies go, none that a run younger
# than restore_for may need.
# For example:
# archive_dir = "/mnt/archive"
# archive_max_bytes = "100GB"

# Build cache that stays, the newest-used first.
# build_cache_keep_bytes = 0

# The size of one plan; a plan over this share of the host's images is called unusual.
# max_objects = 1000
# max_share = 0.9
# By default bytes have no limit. For example:
# max_bytes = "50GB"

# Addresses that must answer within 10 s, a web one with a status below 400, checked together with the
# critical containers: http(s)://..., tcp://HOST:PORT.
# probes = []

# How long nobody must have pulled, loaded or tagged an image or created a container before a cleanup begins.
# A build under way is never cleaned up under.
# quiet_for = "2min"

# How long critical containers must hold still before the first removal, and how long health is watched after
# the last one: by default as long as the slowest health check needs, from 10 s to 3 min; for example 30 s.
# steady_for = "5s"
# settle = "30s"

# The only people who can have something removed, restored, unfrozen or unprotected here through Slack, each
# as Slack team and user id: an order that anybody else agreed to is refused. Without it, whoever the bot
# accepts. For example:
# approvers = ["T0123456789/U0123456789"]

# Who is pinged in Slack when a service is worse after a cleanup: up to five people (U...) and user groups
# (S...). Without it, who confirmed and who asked. For example:
# ping = ["S0123456789", "U0123456789"]

# How many of the last lines of such a service's log are shown there, up to 50. Logs hold secrets: whoever is
# in the channel reads them, and they stay in Slack, in the bot's memory and in this host's ledger.
# show_logs = 0
"""


def policy_text(containers: Iterable[Container]) -> str:
    """Write the policy of a host on which these containers were found."""
    entries = sorted({_entry(c) for c in containers if c.state == "running"})
    listed = "".join(f'\n  "{entry}",' for entry in entries)
    return TEMPLATE.format(critical=f"{listed}\n" if entries else "")


def _entry(container: Container) -> str:
    """Compose names a container anew at each `up`; its project and service stay."""
    project, service = container.labels.get(PROJECT), container.labels.get(SERVICE)
    return f"{COMPOSE}{project}/{service}" if project and service else container.name
