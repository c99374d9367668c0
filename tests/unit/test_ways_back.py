"""How something comes back is said in words to act on, and no host puts words of its own into a shell."""

import pytest

from bot.render.summary import gone_for_good
from bot.render.ways_back import UNKNOWN, way_back
from tests.unit.facts_host import a_case, a_network, a_plan
from tests.unit.render_values import NOW, reference
from workers.contract import Kind, Removed, Restorable

DIGEST = f"sha256:{'ab' * 32}"
PULL = f"`docker pull shop/app@{DIGEST}`"
TAG = f"`docker tag shop/app@{DIGEST} shop/app:1`"


def told(kind: Kind = Kind.IMAGE, **facts: object) -> str:
    made = Removed(index=0, object=reference(kind, "thing"), at=NOW, restorable=Restorable.YES)
    return way_back(made.model_copy(update=facts), "web-1")


@pytest.mark.parametrize(
    ("source", "expected"), [("", []), ("vlan7-conf", ["No known way back for 1 unused network."])]
)
def test_a_network_is_lost_where_its_settings_are_anothers(source: str, expected: list[str]) -> None:
    assert gone_for_good(a_plan(a_case(a_network(config_from=source))).steps) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, UNKNOWN),
        ({"pull": f"shop/app@{DIGEST}"}, PULL),
        ({"pull": f"docker.io/shop/app@{DIGEST}", "names": ("docker.io/shop/app:1",)}, f"{PULL} and {TAG}"),
        (
            {"pull": f"shop/app@{DIGEST}", "restorable": Restorable.NOT_PROBED},
            f"{PULL}, if its registry still has it",
        ),
        ({"kind": Kind.CONTAINER, "restorable": Restorable.NO}, UNKNOWN),
        (
            {"kind": Kind.NETWORK, "restorable": Restorable.RECREATED},
            "it can be made again, the ledger on web-1 has its settings",
        ),
        (
            {"pull": f"shop/app@{DIGEST}", "restorable": Restorable.ARCHIVED},
            "`python -m workers restore` on web-1 brings it back from its archive",
        ),
        ({"kind": Kind.BUILD_CACHE, "restorable": Restorable.RECREATED}, "the next build makes it again"),
    ],
)
def test_the_way_back_is_what_the_ledger_says(facts: dict[str, object], expected: str) -> None:
    assert told(**facts) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pull",
    [
        "shop/app:1",
        "shop/app",
        DIGEST,
        f"shop/app@{DIGEST}; reboot",
        f"$(reboot)@{DIGEST}",
        f"-v@{DIGEST}",
        f"shop/app\n@{DIGEST}",
        "shop/app@sha256:short",
    ],
)
def test_what_is_no_name_with_a_digest_is_no_way_back(pull: str) -> None:
    assert told(pull=pull) == UNKNOWN


@pytest.mark.parametrize("name", ["shop/app; reboot", f"shop/app@{DIGEST}", "--force", "", "`id`:1"])
def test_a_name_that_could_not_be_given_again_is_left_out(name: str) -> None:
    assert told(pull=f"shop/app@{DIGEST}", names=(name, "shop/app:1")) == f"{PULL} and {TAG}"
