"""Models are downloaded from a hub on this machine, over every kind of bad network."""

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.errors import EngineError
from livebot.stt.model import ModelSpec
from livebot.stt.models import Download, find, provide, store
from livebot.stt.models.catalog import entry
from livebot.stt.models.fetching import Fetching, Patience
from tests.support.model_hub import PIECE, Fault, ModelHub

QUICK = Patience(stall_s=0.5, failures=3, first_s=0.001, most_s=0.002)

SIZE = 1_500_000

SMALL = {
    "config.json": b'{"lang_ids": []}',
    "tokenizer.json": b'{"version": "1.0"}',
    "vocabulary.txt": b"a\nb\n",
}


def content(seed: int = 0, size: int = SIZE) -> bytes:
    """Return what no compression and no mistake makes equal."""
    return np.random.default_rng(seed).bytes(size)


@pytest.fixture
async def hub() -> AsyncIterator[ModelHub]:
    """Serve files that are no model, in a model's shape."""
    async with ModelHub({**SMALL, "model.bin": content()}).serve() as hub:
        yield hub


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache, and hide those of this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "models"


def folder(cache: Path) -> Path:
    """Return where the model goes."""
    return cache / "Systran--faster-whisper-tiny"


async def fetch(hub: ModelHub, cache: Path, told: list[Download] | None = None) -> Path:
    """Download, with little patience."""
    on_progress = told.append if told is not None else None
    await Fetching(entry("tiny"), folder(cache), on_progress, QUICK).run(hub.url)
    return folder(cache)


async def found(name: str, cache: Path) -> ModelSpec:
    """Return a model that is there."""
    return await asyncio.to_thread(find, name, cache=cache)


def parts(cache: Path) -> list[Path]:
    """Return what has begun to come."""
    return sorted(folder(cache).glob(f"*{store.PART}"))


async def test_a_model_is_downloaded_once(hub: ModelHub, cache: Path) -> None:
    """What came is what the hub has; afterwards nobody asks the hub any more."""
    told: list[Download] = []
    spec = await provide("tiny", cache=cache, source=hub.url, on_progress=told.append)

    assert spec == await found("tiny", cache)
    assert {n: (Path(spec.folder) / n).read_bytes() for n in hub.files} == hub.files
    total = sum(len(data) for data in hub.files.values())
    assert told[-1].done_bytes == told[-1].total_bytes == total
    assert [t.done_bytes for t in told] == sorted(t.done_bytes for t in told)
    assert {t.name for t in told} == {"tiny"}
    asked = hub.asked.total()
    await provide("tiny", cache=cache, source="http://127.0.0.1:1")
    assert hub.asked.total() == asked


async def test_names_for_the_same_model_share_it(hub: ModelHub, cache: Path) -> None:
    """Three gigabytes are not kept twice."""
    await provide("turbo", cache=cache, source=hub.url)

    assert (await found("large-v3-turbo", cache)).folder == (await found("turbo", cache)).folder


async def test_all_files_are_of_one_revision(hub: ModelHub, cache: Path) -> None:
    """The hub gets a new version after the first answer: the rest is still of the old one.

    Spec: speech-models/Right model or none.
    """
    old, first = hub.files, hub.revision
    hub.next_files = {name: data + b" " for name, data in old.items()}

    got = await fetch(hub, cache)

    assert {n: (got / n).read_bytes() for n in old} == old
    assert first in (got / store.RECORD).read_text()
    assert hub.revision != first


async def test_a_plain_web_server_will_do(hub: ModelHub, cache: Path) -> None:
    """A mirror without checksums and revisions: sizes are all there is to compare."""
    hub.plain = True
    hub.spoil("model.bin", [Fault("cut", 200_000)])

    got = await fetch(hub, cache)

    assert (got / "model.bin").read_bytes() == hub.files["model.bin"]


async def test_what_was_cut_off_goes_on_where_it_stopped(hub: ModelHub, cache: Path) -> None:
    """No byte that was written is asked for again.

    Spec: speech-models/Download goes on.
    """
    hub.spoil("model.bin", [Fault("cut", n) for n in (300_000, 1, 400_000)])

    got = await fetch(hub, cache)

    assert (got / "model.bin").read_bytes() == hub.files["model.bin"]
    assert hub.rests == sorted(hub.rests)
    assert hub.rests
    # What the kernel had taken when the connection broke may be lost.
    assert hub.sent["model.bin"] < SIZE + 4 * PIECE


async def test_another_try_goes_on_where_the_last_one_was_cancelled(
    hub: ModelHub, cache: Path
) -> None:
    """As when the program is ended in the middle, and goes on after the hub has a new version."""
    hub.spoil("model.bin", [Fault("hang", 1_200_000)])
    half = asyncio.Event()

    def on_progress(told: Download) -> None:
        if told.done_bytes > 1_000_000:
            half.set()

    task = asyncio.create_task(
        provide("tiny", cache=cache, source=hub.url, on_progress=on_progress)
    )
    await asyncio.wait_for(half.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(EngineError, match="not on this machine"):
        await found("tiny", cache)
    hub.revision = hub.revision[::-1]

    await fetch(hub, cache)

    assert (await found("tiny", cache)).name == "tiny"
    assert hub.rests[0] > 1_000_000
    assert hub.asked["GET tokenizer.json"] == 1


_CHILD = """
import asyncio, pathlib, sys
from livebot.stt.models import provide
asyncio.run(provide("tiny", cache=pathlib.Path(sys.argv[1]), source=sys.argv[2]))
"""


async def test_a_killed_process_costs_nothing_that_came(hub: ModelHub, cache: Path) -> None:
    """Its lock is gone with it, and what it wrote is there.

    Spec: speech-models/Download goes on.
    """
    hub.spoil("model.bin", [Fault("hang", 1_200_000)])
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _CHILD, cache, hub.url)
    async with asyncio.timeout(20):
        while sum(part.stat().st_size for part in parts(cache)) < 1_000_000:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    await child.wait()

    got = await fetch(hub, cache)

    assert (got / "model.bin").read_bytes() == hub.files["model.bin"]
    assert hub.rests[0] > 1_000_000


async def test_two_at_once_download_it_once(hub: ModelHub, cache: Path) -> None:
    """The second waits for the first, and finds it there.

    Spec: speech-models/Download goes on.
    """
    await asyncio.gather(*(fetch(hub, cache) for _ in range(3)))

    assert hub.asked["GET model.bin"] == hub.asked["HEAD model.bin"] == 1
    assert (await found("tiny", cache)).name == "tiny"


async def test_nobody_waits_for_ever_for_another(hub: ModelHub, cache: Path) -> None:
    """Who holds the lock and gets nowhere is named."""
    hub.spoil("model.bin", [Fault("hang", 1_200_000)] * 3)
    first = asyncio.create_task(provide("tiny", cache=cache, source=hub.url))
    while not any("model.bin" in part.name for part in parts(cache)):  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    with pytest.raises(EngineError, match="another process has been downloading") as caught:
        await fetch(hub, cache)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert caught.value.retryable


async def test_damage_on_the_way_is_noticed(hub: ModelHub, cache: Path) -> None:
    """One bit of a large file, one of a small one: each comes again, alone.

    Spec: speech-models/Right model or none.
    """
    hub.spoil("model.bin", [Fault("flip")])
    hub.spoil("tokenizer.json", [Fault("flip")])

    got = await fetch(hub, cache)

    assert {n: (got / n).read_bytes() for n in hub.files} == hub.files
    assert hub.asked["GET model.bin"] == 2
    assert hub.asked["GET tokenizer.json"] == 2
    assert hub.asked["GET config.json"] == 1


async def test_what_comes_damaged_again_and_again_is_not_taken(hub: ModelHub, cache: Path) -> None:
    """No wrong model is ever there, and no part of it."""
    hub.spoil("model.bin", [Fault("flip")] * 9)

    with pytest.raises(EngineError, match=r"model\.bin is damaged, by its checksum") as caught:
        await fetch(hub, cache)

    assert not caught.value.retryable
    assert not parts(cache)
    assert hub.asked["GET model.bin"] == 2
    with pytest.raises(EngineError, match="not on this machine"):
        await found("tiny", cache)


async def test_a_file_that_is_replaced_while_it_comes(hub: ModelHub, cache: Path) -> None:
    """Half of the old one and half of the new one is none: the new one comes, whole."""
    hub.spoil("model.bin", [Fault("cut", 700_000)])

    def on_progress(told: Download) -> None:
        if told.file == "model.bin":
            hub.files["model.bin"] = content(1, SIZE)

    await Fetching(entry("tiny"), folder(cache), on_progress, QUICK).run(hub.url)

    assert (folder(cache) / "model.bin").read_bytes() == content(1, SIZE)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("500"),
        Fault("429"),
        Fault("end", 100_000),
        Fault("hang", 100_000),
        Fault("more"),
        Fault("cut"),
        Fault("416"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_a_fault_that_passes_is_borne(hub: ModelHub, cache: Path, fault: Fault) -> None:
    """Whatever the network does once."""
    hub.spoil("model.bin", [Fault("cut", 50_000), fault])

    got = await fetch(hub, cache)

    assert (got / "model.bin").read_bytes() == hub.files["model.bin"]


@pytest.mark.parametrize("plain", [False, True])
async def test_who_cannot_give_the_rest_gives_all(
    hub: ModelHub, cache: Path, *, plain: bool
) -> None:
    """A server that knows no ranges: from the beginning, then, also without a checksum."""
    hub.plain = plain
    hub.spoil("model.bin", [Fault("cut", 600_000), *[Fault("whole")] * 9])

    got = await fetch(hub, cache)

    assert (got / "model.bin").read_bytes() == hub.files["model.bin"]
    assert hub.asked["GET model.bin"] == 3


@pytest.mark.parametrize(
    ("fault", "said", "tries"),
    [
        (Fault("500"), "it answers 500", 3),
        (Fault("hang"), "it sends nothing", 3),
        (Fault("end", 0), "it ends a file too early", 3),
        (Fault("401"), "it answers 401: what is asked for is private", 1),
        (Fault("404"), "it answers 404", 1),
        (Fault("html"), "does a network want a login first", 1),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_fault_that_stays_is_told(
    hub: ModelHub, cache: Path, fault: Fault, said: str, tries: int
) -> None:
    """What it was, and what to do; asked again only where that may help.

    Spec: speech-models/Download goes on.
    """
    hub.spoil("model.bin", [fault] * 9)

    with pytest.raises(EngineError, match=said) as caught:
        await fetch(hub, cache)

    assert hub.asked["GET model.bin"] == tries
    assert caught.value.retryable == (tries > 1)
    text = str(caught.value)
    for cure in ("tiny", "127.0.0.1", "LT_MODEL_SOURCE", "LT_MODEL_DIR", "tokenizer.json"):
        assert cure in text
    assert hub.url not in text
    assert "\n" not in text


async def test_what_the_hub_does_not_have_is_named(hub: ModelHub, cache: Path) -> None:
    """A mirror that is not complete."""
    del hub.files["tokenizer.json"]
    del hub.files["vocabulary.txt"]

    with pytest.raises(
        EngineError, match=r"no tokenizer\.json, vocabulary\.json or vocabulary\.txt for Systran"
    ):
        await fetch(hub, cache)


async def test_questions_are_repeated_too(hub: ModelHub, cache: Path) -> None:
    """A hub that is busy for a moment."""
    hub.head_faults["config.json"] = deque([503, 429])
    hub.head_faults["model.bin"] = deque([500])

    assert await fetch(hub, cache) == folder(cache)


async def test_nobody_there(cache: Path) -> None:
    """A port that nobody listens on, and what is no address at all."""
    with pytest.raises(EngineError, match="it cannot be reached") as caught:
        await Fetching(entry("tiny"), folder(cache), None, QUICK).run("http://127.0.0.1:1/a?key=b")
    assert "key" not in str(caught.value)
    for source in ("nonsense", "ftp://127.0.0.1/x", "http://["):
        with pytest.raises(EngineError, match="LT_MODEL_SOURCE"):
            await Fetching(entry("tiny"), folder(cache), None, QUICK).run(source)


async def test_no_room_is_told_before_anything_comes(
    hub: ModelHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much is needed, where, and how much there is.

    Spec: speech-models/Download goes on.
    """
    monkeypatch.setattr(store, "free_bytes", lambda _: 17_000_000)

    with pytest.raises(
        EngineError, match=r"needs 18 MB more in .* 17 MB are free.*LT_MODEL_CACHE"
    ):
        await fetch(hub, cache)

    assert not hub.sent


async def test_a_disk_that_fills_up_meanwhile(hub: ModelHub, cache: Path) -> None:
    """The kernel refuses to write on: told in the same words, and what came is kept."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, before[1]))
    try:
        with pytest.raises(EngineError, match=r"needs .* MB more in .*LT_MODEL_CACHE"):
            await fetch(hub, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert await fetch(hub, cache) == folder(cache)
    assert hub.rests[-1] > 1_000_000


async def test_a_cache_that_cannot_be_written(hub: ModelHub, tmp_path: Path) -> None:
    """A file where the folder should be."""
    cache = tmp_path / "file"
    await asyncio.to_thread(cache.touch)

    with pytest.raises(EngineError, match=r"cannot be kept in .*LT_MODEL_CACHE"):
        await provide("tiny", cache=cache, source=hub.url)


@pytest.mark.parametrize("harm", ["cut", "flip", "gone", "record"])
async def test_a_cache_that_was_harmed_is_mended(hub: ModelHub, cache: Path, harm: str) -> None:
    """Only what is wrong comes again.

    Spec: speech-models/Right model or none.
    """
    path = await fetch(hub, cache) / "model.bin"
    data = path.read_bytes()
    harmed = {"cut": data[:-1], "flip": data[:99] + bytes([data[99] ^ 1]) + data[100:]}
    if harm in harmed:
        path.write_bytes(harmed[harm])
    elif harm == "gone":
        path.unlink()
    else:
        (path.parent / store.RECORD).write_bytes(b"{")
    with pytest.raises(EngineError, match="not on this machine"):
        await found("tiny", cache)
    before = hub.asked.copy()

    await fetch(hub, cache)

    assert path.read_bytes() == data
    assert (await found("tiny", cache)).name == "tiny"
    came = {key for key in hub.asked - before if key.startswith("GET")}
    assert came == (set() if harm == "record" else {"GET model.bin"})


async def test_a_copied_cache_is_good(hub: ModelHub, cache: Path, tmp_path: Path) -> None:
    """Copying changes the times of files, not what is in them."""
    got = await fetch(hub, cache)
    shutil.copytree(got, tmp_path / "other" / got.name, copy_function=shutil.copy)
    for path in (tmp_path / "other" / got.name).iterdir():
        os.utime(path, (1, 1))

    assert (await found("tiny", tmp_path / "other")).name == "tiny"


async def test_offline_asks_nobody(hub: ModelHub, cache: Path) -> None:
    """And says what to do instead; what is there is used.

    Spec: speech-models/Places.
    """
    with pytest.raises(EngineError, match=r"LT_OFFLINE.*livebot models get tiny") as e:
        await provide("tiny", cache=cache, source=hub.url, offline=True)
    assert not e.value.retryable
    assert not hub.asked

    await fetch(hub, cache)

    spec = await provide("tiny", cache=cache, source=hub.url, offline=True)
    assert spec == await found("tiny", cache)


FAULTS = st.builds(
    Fault,
    st.sampled_from(["cut", "end", "flip", "more", "whole", "500", "429", "404", "416", "html"]),
    st.integers(0, 300_000),
)


@settings(max_examples=25)
@given(st.lists(FAULTS, max_size=6), st.lists(FAULTS, max_size=3))
def test_there_is_the_right_model_or_none(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault], small: list[Fault]
) -> None:
    """Whatever goes wrong: no wrong bytes are taken, and once it works again all is well."""
    cache = tmp_path_factory.mktemp("law")
    files = {**SMALL, "model.bin": content(2, 200_000)}

    async def law() -> None:
        async with ModelHub(dict(files)).serve() as hub:
            hub.spoil("model.bin", faults)
            hub.spoil("tokenizer.json", small)
            for _ in range(10):
                try:
                    await fetch(hub, cache)
                except EngineError:
                    assert store.recorded(folder(cache)) is None
                else:
                    break
            assert {n: (folder(cache) / n).read_bytes() for n in files} == files
            assert not parts(cache)

    asyncio.run(law())
