"""What removals free is exact where the engine tells enough, an interval around the truth elsewhere."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.facts_host import ENGINE, a_container, an_image, an_image_id, an_inventory
from workers.contract import Bytes, Store
from workers.planning.freed_bytes import freed_bytes
from workers.planning.histories import EMPTY_DIFF, HistoryStep
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage, layer_sizes, read_layers
from workers.planning.reclaim import freed, reckoned
from workers.planning.wanted_histories import wanted_histories

G, C = Store.GRAPH_DRIVER, Store.CONTAINERD


def exactly(size: int) -> Bytes:
    return Bytes(low=size, high=size)


def diff(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def step(text: str) -> HistoryStep:
    """`10 RUN make` is a step that added 10 bytes."""
    size, _, command = text.partition(" ")
    return HistoryStep(int(size), command)


def image(
    name: str, layers: str, *steps: str, size: int | None = None, content: int | None = None
) -> LayeredImage:
    """An image of the named layers; its steps are written oldest first, as a Dockerfile is."""
    history = tuple(step(text) for text in reversed(steps))
    layers_size = sum(step.size for step in history) if size is None else size
    return LayeredImage(
        id=name,
        layers=tuple(diff(layer) for layer in layers.split()),
        history=history or None,
        size=layers_size + (content or 0),
        content=content,
    )


def record(name: str, told: str, *, on: str = "", shared: bool = True) -> CacheRecord:
    """`10 mount / from exec make` is a record of 10 bytes with that description."""
    size, _, description = told.partition(" ")
    return CacheRecord(
        id=name,
        parents=(on,) if on else (),
        size=int(size),
        shared=shared,
        in_use=False,
        type="regular",
        description=description,
    )


BASE = image("base", "root", "100 ")
APP = image("app", "root code", "100 ", "20 COPY code")
OLD = image("old", "root former", "100 ", "7 COPY former")


def test_a_layer_that_a_kept_image_needs_is_not_freed() -> None:
    assert exactly(7) == freed({"old"}, [APP, OLD], store=G)


def test_images_that_share_all_their_layers_free_them_once() -> None:
    assert exactly(127) == freed({"app", "old"}, [APP, OLD], store=G)


def test_an_untagged_or_intermediate_image_keeps_its_layers_like_any_other() -> None:
    assert exactly(27) == freed({"app", "old"}, [BASE, APP, OLD], store=G)


def test_one_of_two_names_for_the_same_layers_frees_nothing() -> None:
    assert exactly(0) == freed({"app"}, [APP, replace(APP, id="copy")], store=G)


def test_a_shared_layer_counts_where_its_last_holder_goes() -> None:
    first, last = ({"app": exactly(20), "old": exactly(107)}, {"old": exactly(7), "app": exactly(120)})
    assert first == reckoned(("app", "old"), [APP, OLD], store=G).bytes
    assert last == reckoned(("old", "app"), [APP, OLD], store=G).bytes


def test_the_same_content_on_another_base_is_another_layer() -> None:
    other = image("other", "root2 code", "50 ", "20 COPY code")
    assert exactly(70) == freed({"other"}, [APP, other], store=G)


def test_removing_nothing_or_something_unknown_frees_nothing() -> None:
    assert exactly(0) == freed((), [APP, OLD], store=G)
    assert {"container": exactly(0)} == reckoned(["container"], [APP], store=G).bytes


def test_an_image_without_layers_frees_nothing() -> None:
    assert exactly(0) == freed({"bare"}, [image("bare", "", "0 LABEL a=b")], store=G)


def test_metadata_steps_make_no_layer() -> None:
    built = image("built", "root run", "100 ", "0 ENV A=b", "0 /bin/sh -c #(nop)  CMD []", "0 RUN true")
    on_it = image("on-it", "root run more", "100 ", "0 ENV A=b", "0 RUN true", "5 RUN more")
    assert exactly(5) == freed({"on-it"}, [built, on_it], store=G)


def test_buildkit_makes_a_layer_where_nothing_changed_and_the_classic_builder_none() -> None:
    steps = ("100 ", "0 /bin/sh -c true", "9 RUN make # buildkit", "0 RUN true # buildkit")
    app = image("app", "root make true", *steps)
    fork = image("fork", "root make fork", "100 ", "0 /bin/sh -c true", "9 RUN make # buildkit", "3 RUN fork")
    assert exactly(3) == freed({"fork"}, [app, fork], store=G)


def test_an_empty_archive_is_an_empty_layer_whatever_made_it() -> None:
    app = image("app", "root x y", "100 ", "0 ADD x", "9 ADD y", "0 ADD z")
    app = replace(app, layers=(app.layers[0], app.layers[1], EMPTY_DIFF))
    fork = replace(image("fork", "root x fork", "100 ", "0 ADD x", "9 ADD y", "4 ADD z"), history=None)
    assert exactly(4) == freed({"fork"}, [app, fork], store=G)


def test_an_image_that_ends_at_a_layer_settles_what_another_ones_history_leaves_open() -> None:
    app = image("app", "root a b", "100 ", "0 RUN touch", "9 RUN make", "0 RUN touch")
    fork = image("fork", "root a c", "100 ", "0 RUN touch", "9 RUN make", "0 RUN touch", size=109)
    assert Bytes(low=0, high=9) == freed({"app"}, [app, fork], store=G)
    settled = image("until-a", "root a", "100 ", "0 RUN touch")
    assert exactly(9) == freed({"app"}, [app, fork, settled], store=G)


@pytest.mark.parametrize("history", [None, (), (HistoryStep(5, "RUN a"), HistoryStep(5, "RUN b"))])
def test_a_history_that_is_missing_or_describes_other_layers_leaves_an_interval(
    history: tuple[HistoryStep, ...] | None,
) -> None:
    unread = replace(image("unread", "root x y", size=130), history=history)
    kept = replace(image("kept", "root x z", size=115), history=history)
    assert Bytes(low=15, high=130) == freed({"unread"}, [unread, kept], store=G)
    assert exactly(130) == freed({"unread"}, [unread], store=G)


def test_sizes_that_are_open_one_by_one_do_no_harm_where_only_the_sum_matters() -> None:
    unread = replace(image("unread", "root x y z", size=130), history=None)
    assert exactly(30) == freed({"unread"}, [unread, BASE], store=G)


def test_the_size_of_each_layer_is_told_with_its_bounds() -> None:
    unread = replace(image("unread", "root x y", size=130), history=None)
    sizes = layer_sizes(read_layers([BASE, unread])).values()
    assert [exactly(100), Bytes(low=0, high=30), Bytes(low=0, high=30)] == list(sizes)


@pytest.mark.parametrize(
    ("unread", "low"),
    [
        ({"readable": False}, 0),
        ({"readable": False, "layers": (diff("other"),)}, 1000),
        ({"layers": (diff("other"),)}, 1000),
    ],
)
def test_an_image_whose_layers_were_not_read_may_hold_whatever_goes(unread: dict[str, Any], low: int) -> None:
    old, job = an_image("old:1", layers=(diff("base"),)), a_container("job", of="old:1", writable=7)
    host = an_inventory(old, job, an_image("live:1", **unread))
    found = freed_bytes(host, [job.id, old.id])

    assert found.bytes == {job.id: exactly(7), old.id: Bytes(low=low, high=1000)}
    assert [group.size for group in found.layers] == [Bytes(low=low, high=1000)]


@pytest.mark.parametrize(("size", "low"), [(1000, 0), (0, 1000)])
def test_an_image_of_some_size_that_tells_no_layers_may_hold_whatever_goes(size: int, low: int) -> None:
    old, odd = an_image("old:1", layers=(diff("base"),)), an_image("odd:1", size=size)
    stays, goes = (freed_bytes(an_inventory(old, odd), order) for order in ([old.id], [old.id, odd.id]))

    assert stays.bytes == {old.id: Bytes(low=low, high=1000)}
    assert goes.bytes == {old.id: exactly(1000), odd.id: Bytes(high=size)}
    assert (stays.unplaced, goes.unplaced) == (0, size)


@pytest.mark.parametrize("image_id", [an_image_id("dropped:1"), ""])
def test_a_container_whose_image_is_in_no_list_may_hold_whatever_goes(image_id: str) -> None:
    old, job = (
        an_image("old:1", layers=(diff("base"),)),
        a_container(image_id=image_id, rootfs=57, writable=7),
    )
    stays, goes = (freed_bytes(an_inventory(old, job), order) for order in ([old.id], [job.id, old.id]))

    assert stays.bytes == {old.id: Bytes(high=1000)}
    assert [group.size for group in stays.layers] == [Bytes(high=1000)]
    assert goes.bytes == {job.id: Bytes(low=7, high=57), old.id: exactly(1000)}
    assert goes.unplaced == 50


def test_what_a_container_may_hold_is_at_most_what_goes_where_no_size_is_told() -> None:
    old, job = an_image("old:1", layers=(diff("base"),)), a_container(of="dropped:1", writable=7)
    found = freed_bytes(an_inventory(old, job), [job.id, old.id])

    assert found.bytes == {job.id: Bytes(low=7, high=1007), old.id: exactly(1000)}
    assert found.unplaced == 1000


def test_a_container_whose_image_is_in_no_list_holds_the_layers_that_are_remembered_of_it() -> None:
    base = an_image("base:1", layers=(diff("base"),))
    job = a_container(of="dropped:1", layers=(diff("base"), diff("own")), rootfs=1057, writable=7)
    host = an_inventory(base, job)

    assert freed_bytes(host, [base.id]).bytes == {base.id: exactly(0)}
    assert freed_bytes(host, [job.id]).bytes == {job.id: exactly(57)}
    whole = freed_bytes(host, [job.id, base.id])
    assert whole.bytes == {job.id: exactly(57), base.id: exactly(1000)}
    assert ([group.held_by for group in whole.layers], whole.unplaced) == ([(1,), (0,)], 0)


def test_what_a_container_tells_of_its_layers_counts_only_where_no_image_tells() -> None:
    # A containerd store counts the few files with which each container begins.
    ours = replace(image("job", "root", size=105), is_container=True)
    assert exactly(20) == freed({"app"}, [APP, ours], store=G)
    assert exactly(105) == freed({"job"}, [ours], store=G)


# The build cache on a graph-driver store.


def test_a_freed_layer_that_a_kept_record_still_holds_is_not_freed() -> None:
    cache = [record("r0", "0 from local "), record("r1", "20 [2/2] COPY code", on="r0")]
    assert exactly(0) == freed({"app"}, [APP], cache, store=G)


def test_a_record_removed_after_the_image_gets_the_bytes() -> None:
    cache = [record("r0", "0 from local "), record("r1", "20 [2/2] COPY code", on="r0")]
    expected = {"app": exactly(0), "r1": exactly(20), "r0": exactly(100)}
    assert expected == reckoned(("app", "r1", "r0"), [APP], cache, store=G).bytes


def test_a_record_whose_layer_an_image_still_needs_frees_nothing() -> None:
    cache = [record("r0", "0 from local "), record("r1", "20 fileop target", on="r0")]
    assert exactly(0) == freed({"r0", "r1"}, [APP], cache, store=G)


def test_a_record_that_no_image_shares_frees_its_size() -> None:
    cache = [record("source", "41 local source for dockerfile", shared=False)]
    assert exactly(41) == freed({"source"}, [APP], cache, store=G)


def test_a_record_of_a_base_image_holds_a_layer_although_it_tells_no_size() -> None:
    cache = [record("r0", "0 from local "), record("unexported", "5 x", on="r0", shared=False)]
    assert exactly(20) == freed({"app"}, [APP], cache, store=G)


def test_a_record_holds_the_layers_below_its_own() -> None:
    cache = [record("r1", "20 [2/2] COPY code")]
    assert exactly(0) == freed({"app"}, [APP], cache, store=G)


@pytest.mark.parametrize(
    ("made_by", "told"),
    [
        ("RUN /bin/sh -c make # buildkit", "mount / from exec /bin/sh -c make"),
        ("RUN |1 V=2 /bin/sh -c make # buildkit", "mount / from exec /bin/sh -c make"),
        ("COPY /a /b # buildkit", "[stage-1 2/3] COPY --from=first --chown=1 /a /b"),
        ("COPY /a /b # buildkit", "fileop target"),
        ("WORKDIR /work", "[2/3] WORKDIR /work"),
    ],
)
def test_a_record_is_told_from_one_of_the_same_size_by_its_command(made_by: str, told: str) -> None:
    app = image("app", "root made", "100 ", f"20 {made_by}")
    fork = image("fork", "root other", "100 ", "20 RUN something else")
    cache = [record("r0", "0 from local "), record("r1", f"20 {told}", on="r0")]
    assert exactly(0) == freed({"app"}, [app, fork], cache, store=G)
    assert exactly(20) == freed({"fork"}, [app, fork], cache, store=G)


def test_a_record_is_told_from_its_look_alike_by_what_lies_on_it() -> None:
    app = image("app", "root a x", "100 ", "20 RUN a", "3 RUN x")
    fork = image("fork", "root b y", "100 ", "20 RUN a", "4 RUN y")
    cache = [
        record("r0", "0 from local "),
        record("r1", "20 mount / from exec a", on="r0"),
        record("r2", "3 mount / from exec x", on="r1"),
    ]
    assert exactly(0) == freed({"app"}, [app, fork], cache, store=G)
    assert exactly(24) == freed({"fork"}, [app, fork], cache, store=G)


def test_a_record_that_may_be_a_kept_layer_or_a_freed_one_leaves_an_interval() -> None:
    app, fork = (image(name, f"root {name}", "100 ", "20 RUN make") for name in ("app", "fork"))
    cache = [record("r0", "0 from local "), record("r1", "20 mount / from exec make", on="r0")]
    assert Bytes(low=0, high=20) == freed({"app"}, [app, fork], cache, store=G)


def test_as_many_look_alike_records_as_layers_hold_them_all() -> None:
    names = ("a", "b", "c")
    apps = [image(name, f"root {name}", "100 ", "20 RUN make") for name in names]
    cache = [record(f"r{name}", "20 mount / from exec make", on="r0") for name in names]
    cache += [record("r0", "0 from local ")]
    assert exactly(0) == freed(names, apps, cache, store=G)
    assert exactly(40) == freed((*names, "ra", "rb"), apps, cache, store=G)


def test_of_look_alike_layers_one_kept_record_holds_one() -> None:
    names = ("a", "b", "c")
    apps = [image(name, f"root {name}", "100 ", "20 RUN make") for name in names]
    cache = [record("r0", "0 from local "), record("r1", "20 mount / from exec make", on="r0")]
    assert exactly(40) == freed(names, apps, cache, store=G)


def test_of_look_alikes_on_one_base_two_kept_records_hold_the_base_once() -> None:
    one, two = (image(name, f"deb {name}", "100 ADD deb", f"5 RUN {name}") for name in ("one", "two"))
    alpine = image("alpine", "alp", "20 ADD alp")
    cache = [record(f"r{name}", f"0 pulled from {name}") for name in ("debian", "alpine")]
    # They are the two bases, which leaves 10; or those of one of the other images.
    assert Bytes(low=5, high=120) == freed({"one", "two", "alpine"}, [one, two, alpine], cache, store=G)


def test_a_record_of_a_base_image_and_one_of_a_step_may_hold_the_same_layer() -> None:
    images = [image("a", "a", "4 ADD a"), *(image(name, name, "5 RUN make") for name in ("b", "c"))]
    cache = [record("base", "0 pulled from a"), record("step", "5 mount / from exec make")]
    assert Bytes(low=0, high=9) == freed({"a", "b"}, images, cache, store=G)
    assert Bytes(low=4, high=10) == freed({"a", "b", "c"}, images, cache, store=G)


def test_of_layers_of_unknown_sizes_a_record_may_hold_any() -> None:
    unread, kept = (image(name, f"root {name}", size=10) for name in ("unread", "kept"))
    known = image("known", "own", "9 ADD own")
    odd = [record("odd", "33 something")]
    # The layer of `unread` may have no bytes, and the record may be that of `known`.
    assert Bytes(low=0, high=19) == freed({"unread", "known"}, [unread, kept, known], odd, store=G)


def test_where_the_engine_tells_no_parents_size_and_command_decide() -> None:
    cache = [record("r1", "7 [2/2] COPY former")]
    assert exactly(20) == freed({"app", "old"}, [APP, OLD], cache, store=G)


def test_a_record_that_is_like_no_layer_may_be_any() -> None:
    cache = [record("odd", "33 something")]
    assert Bytes(low=0, high=20) == freed({"app"}, [APP], cache, store=G)


# The containerd store.


def test_c_an_image_frees_its_snapshots_and_at_most_all_its_blobs() -> None:
    app = image("app", "root code", "100 ", "20 COPY code", content=60)
    old = image("old", "root former", "100 ", "7 COPY former", content=50)
    assert Bytes(low=7, high=57) == freed({"old"}, [app, old], store=C)
    assert Bytes(low=127, high=237) == freed({"app", "old"}, [app, old], store=C)


def test_c_the_build_cache_has_copies_and_holds_no_snapshot_of_an_image() -> None:
    app = image("app", "root code", "100 ", "20 COPY code", content=60)
    cache = [record("r1", "20 COPY code"), record("own", "9 x", shared=False)]
    assert Bytes(low=120, high=180) == freed({"app"}, [app], cache, store=C)
    assert Bytes(low=9, high=29) == freed({"r1", "own"}, [app], cache, store=C)


def base(*, shared: bool = True) -> CacheRecord:
    """A layer that a build began from: on a containerd store it tells a size near to the layer's."""
    return record("base", "95", shared=shared)


def test_c_what_a_build_began_from_stays_while_the_cache_does() -> None:
    app = image("app", "root code", "100 ", "20 COPY code", content=60)
    cache = [base(), record("r1", "20 COPY code", on="base")]
    assert Bytes(low=20, high=80) == freed({"app"}, [app], cache, store=C)
    assert freed({"app", "base"}, [app], cache, store=C).low == 120
    assert freed({"base"}, [app], cache, store=C).low == 0


def test_c_what_a_build_began_from_takes_its_blob_along() -> None:
    alone = freed({"base"}, [], [base(shared=False)], store=C)
    assert alone.low == 95
    assert alone.high >= 190


def test_c_a_blob_that_many_images_have_is_counted_once() -> None:
    million = 1_000_000
    images = [
        image(name, f"root {name}", f"{million} ", f"10 COPY {name}", content=million) for name in "abcde"
    ]
    together = freed({one.id for one in images}, images, store=C)
    assert together.low == million + 50
    assert together.high < 2.2 * million


def test_c_what_an_image_has_for_other_platforms_is_in_the_upper_bound_alone() -> None:
    app = image("app", "root code", "100 ", "20 COPY code", content=60)
    multi = image("multi", "root", "100 ", size=100 + 5000, content=50)
    assert Bytes(low=0, high=5050) == freed({"multi"}, [app, multi], store=C)
    assert Bytes(low=20, high=80) == freed({"app"}, [app, multi], store=C)
    assert Bytes(low=100, high=5150) == freed({"multi"}, [multi], store=C)


def test_c_an_image_of_labels_alone_leaves_no_doubt() -> None:
    """Its index and configuration are listed; layers it has none."""
    labels = an_image("labels:1", size=1700, content=700, history=(step("0 LABEL a=b"),))
    app = an_image("app:1", layers=(diff("app"),), size=1500, content=500)
    host = an_inventory(app, labels, engine=ENGINE.model_copy(update={"store": C}))
    assert freed_bytes(host, [app.id]).bytes == {app.id: Bytes(low=1000, high=1500)}
    assert freed_bytes(host, [labels.id]).bytes == {labels.id: Bytes(high=1700)}


def test_c_blobs_larger_than_their_layer_are_all_in_the_bound_of_an_image_of_its_own() -> None:
    links = image("links", "links", "4096 COPY links", content=30_000_000)
    assert Bytes(low=4096, high=30_004_096) == freed({"links"}, [links, APP], store=C)


def test_c_a_container_holds_no_blobs() -> None:
    million = 1_000_000
    app = image("app", "root", f"{million} ", content=million)
    dropped = replace(image("job", "root", f"{million} "), is_container=True)
    assert Bytes(low=0, high=million) == freed({"app"}, [app, dropped], store=C)


def test_c_the_files_with_which_a_container_begins_are_in_its_upper_bound() -> None:
    app = an_image("app:1", layers=(diff("app"),), size=1500, content=500)
    job = a_container(of="app:1", writable=7, rootfs=1027)
    on_c, on_g = (
        freed_bytes(an_inventory(app, job, engine=ENGINE.model_copy(update={"store": store})), [job.id])
        for store in (C, G)
    )
    assert (on_c.bytes, on_g.bytes) == ({job.id: Bytes(low=7, high=27)}, {job.id: exactly(7)})


# Whatever is on the engine.

COMMANDS = (
    "RUN true",
    "RUN touch /x",
    "ENV A=b",
    "/bin/sh -c #(nop) CMD []",
    "RUN make",
    "COPY a b # buildkit",
)


@dataclass(frozen=True)
class Truth:
    """A node of the layers that really are there, and the steps since the one below."""

    below: int
    size: int
    command: str
    metadata: int


TRUTHS = st.lists(
    st.builds(
        Truth,
        below=st.integers(-1, 30),
        size=st.sampled_from((0, 0, 1, 5, 5, 1000)),
        command=st.sampled_from(COMMANDS),
        metadata=st.integers(0, 2),
    ),
    min_size=1,
    max_size=14,
)


def stack(truths: list[Truth], top: int) -> list[int]:
    """The nodes of an image, lowest first."""
    found = [top]
    while 0 <= truths[found[-1]].below < found[-1]:
        found.append(truths[found[-1]].below)
    return found[::-1]


def told(truths: list[Truth], top: int, *, spares: int) -> LayeredImage:
    """What an engine tells of the image: its history has steps that made no layer."""
    steps: list[HistoryStep] = []
    for node in stack(truths, top):
        truth = truths[node]
        steps += [HistoryStep(0, "ENV A=b")] * truth.metadata
        steps += [HistoryStep(0, "/bin/sh -c true")] * (node % (spares + 1))
        command = (
            truth.command if truth.size or not truth.command.startswith(("ENV", "/bin")) else "RUN touch"
        )
        steps.append(HistoryStep(truth.size, command))
    return LayeredImage(
        id=f"image{top}",
        layers=tuple(diff(str(node)) for node in stack(truths, top)),
        history=tuple(reversed(steps)),
        size=sum(step.size for step in steps),
    )


def really_freed(truths: list[Truth], kept: set[int], gone: set[int]) -> int:
    needed = {node for top in kept for node in stack(truths, top)}
    return sum(truths[node].size for node in {node for top in gone for node in stack(truths, top)} - needed)


@given(TRUTHS, st.data())
def test_the_truth_lies_within_the_bounds(truths: list[Truth], data: st.DataObject) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    gone = data.draw(st.sets(st.sampled_from(sorted(tops))))
    unread = data.draw(st.sets(st.sampled_from(sorted(tops))))
    images = [told(truths, top, spares=2) for top in sorted(tops)]
    images = [replace(one, history=None) if int(one.id[5:]) in unread else one for one in images]
    expected = freed({f"image{top}" for top in gone}, images, store=G)
    assert expected.low <= really_freed(truths, tops - gone, gone) <= expected.high


@given(TRUTHS, st.data())
def test_where_every_step_of_size_0_is_metadata_or_a_layer_the_prediction_is_exact(
    truths: list[Truth], data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    gone = data.draw(st.sets(st.sampled_from(sorted(tops))))
    images = [told(truths, top, spares=0) for top in sorted(tops)]
    expected = freed({f"image{top}" for top in gone}, images, store=G)
    assert exactly(really_freed(truths, tops - gone, gone)) == expected


@given(TRUTHS, st.data())
def test_a_record_of_the_cache_keeps_the_truth_within_the_bounds(
    truths: list[Truth], data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    gone = data.draw(st.sets(st.sampled_from(sorted(tops))))
    images = [told(truths, top, spares=0) for top in sorted(tops)]
    cached = data.draw(st.sampled_from(sorted(tops)))
    nodes = stack(truths, cached)
    cache = [
        record(f"r{node}", f"{truths[node].size} mount / from exec {truths[node].command}", on=f"r{lower}")
        for lower, node in zip((-1, *nodes), nodes, strict=False)
    ]
    records_gone = data.draw(st.booleans())
    removed = {f"image{top}" for top in gone} | {one.id for one in cache if records_gone}
    kept = tops - gone | (set() if records_gone else {cached})
    expected = freed(removed, images, cache, store=G)
    assert expected.low <= really_freed(truths, kept, gone) <= expected.high


@given(TRUTHS, st.data())
def test_the_order_of_removals_moves_bytes_between_them_and_changes_no_sum(
    truths: list[Truth], data: st.DataObject
) -> None:
    images = [told(truths, top, spares=2) for top in range(len(truths))]
    order = data.draw(st.permutations([one.id for one in images]))
    assume(order)
    whole = sum(reckoned(order, images, store=G).bytes.values(), Bytes())
    assert exactly(really_freed(truths, set(), set(range(len(truths))))) == whole


def with_wanted_histories(
    images: list[LayeredImage], cache: list[CacheRecord], store: Store
) -> list[LayeredImage]:
    """The images with as many histories as are asked for, one round after the other."""
    known = [replace(one, history=None) for one in images]
    asked: set[str] = set()
    while wanted := wanted_histories(known, cache, store=store, asked=asked):
        assert wanted.isdisjoint(asked)
        asked |= wanted
        known = [full if full.id in asked else one for full, one in zip(images, known, strict=True)]
    return known


@given(TRUTHS, st.integers(0, 2), st.data())
def test_the_histories_asked_for_tell_as_much_as_all(
    truths: list[Truth], spares: int, data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    images = [told(truths, top, spares=spares) for top in sorted(tops)]
    order = data.draw(st.permutations([one.id for one in images]))
    fewer = with_wanted_histories(images, [], G)

    assert reckoned(order, fewer, store=G).bytes == reckoned(order, images, store=G).bytes


def test_one_history_tells_of_all_versions_on_the_same_base() -> None:
    versions = [image(f"app{n}", f"base common app{n}", "5 ADD", "2 RUN a", f"{n} RUN b") for n in range(9)]
    fewer = with_wanted_histories(versions, [], G)

    assert sum(one.history is not None for one in fewer) == 1


def test_images_that_share_nothing_or_end_where_they_part_need_no_history() -> None:
    apart = [image("a", "a", "1 RUN a"), image("b", "b", "2 RUN b")]
    on_it = [image("base", "x", "1 RUN x"), *(image(f"x{n}", f"x x{n}", "1 RUN x", "1 RUN y") for n in "12")]

    assert with_wanted_histories(apart + on_it, [], G) == [
        replace(one, history=None) for one in apart + on_it
    ]


@pytest.mark.parametrize(("shared", "store", "asked"), [(True, G, 2), (False, G, 0), (False, C, 2)])
def test_a_build_cache_that_holds_images_layers_and_a_containerd_store_need_all_histories(
    shared: bool, store: Store, asked: int
) -> None:
    images = [image("a", "a", "1 RUN a"), image("b", "b", "2 RUN b")]
    fewer = with_wanted_histories(images, [record("r", "1 mount / from exec RUN a", shared=shared)], store)

    assert sum(one.history is not None for one in fewer) == asked


ODD_IMAGES = st.lists(
    st.builds(
        LayeredImage,
        id=st.sampled_from("abcd"),
        layers=st.lists(st.sampled_from(("x", "y", EMPTY_DIFF)), max_size=4).map(tuple),
        history=st.none()
        | st.lists(
            st.builds(HistoryStep, st.sampled_from((0, 0, 3, 9)), st.sampled_from((*COMMANDS, "ENV A=b"))),
            max_size=5,
        ).map(tuple),
        size=st.integers(0, 20),
        content=st.none() | st.integers(0, 30),
    ),
    max_size=6,
)
ODD_CACHE = st.lists(
    st.builds(
        CacheRecord,
        id=st.sampled_from("pqrs"),
        parents=st.lists(st.sampled_from("pqrst"), max_size=2).map(tuple),
        size=st.sampled_from((0, 3, 9)),
        shared=st.booleans(),
        in_use=st.booleans(),
        type=st.just("regular"),
        description=st.sampled_from(("from local ", "fileop target", "mount / from exec make", "")),
    ),
    max_size=5,
)


@given(ODD_IMAGES, ODD_CACHE, st.permutations("abcdpqrs"), st.sampled_from(Store))
def test_answers_that_contradict_each_other_are_no_error(
    images: list[LayeredImage], cache: list[CacheRecord], order: list[str], store: Store
) -> None:
    for expected in reckoned(order[:5], images, cache, store=store).bytes.values():
        assert 0 <= expected.low <= expected.high
