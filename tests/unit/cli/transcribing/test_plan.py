"""Where transcripts go."""

from dataclasses import replace
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.cli.transcribing.inputs import Input
from livebot.cli.transcribing.plan import Plan, Wishes, forms_of, plan
from livebot.errors import ConfigError
from livebot.transcripts.export import FORMATS


def recordings(*names: str) -> list[Input]:
    """Return recordings of these names."""
    return [Input(name, Path(name), PurePath(name).with_suffix("")) for name in names]


def outputs(found: Plan) -> list[str]:
    """Return all files to be written."""
    return [str(path) for job in found.jobs for _, path in job.outputs]


def test_text_of_one_goes_to_stdout() -> None:
    """Without a heading."""
    found = plan(recordings("a.wav"), Wishes())
    assert (found.printed, found.headings, outputs(found)) == ("txt", False, [])


def test_text_of_several_has_headings() -> None:
    """Also where a folder has but one."""
    assert plan(recordings("a.wav"), Wishes(many=True)).headings
    assert plan(recordings("a.wav", "b.wav"), Wishes(many=True, forms=["md"])).headings


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(many=True, forms=["srt"]), "--output"),
        (Wishes(many=True, forms=["json"]), "--json"),
        (Wishes(forms=["srt", "vtt"]), "--output"),
        (Wishes(as_json=True, forms=["srt"]), "--output"),
    ],
)
def test_what_would_be_a_muddle_on_stdout_is_wrong_use(wishes: Wishes, said: str) -> None:
    """It says what to do instead. Spec: command-line/Transcripts."""
    with pytest.raises(ConfigError, match=said):
        plan(recordings("a.wav", "b.wav"), wishes)


@pytest.mark.parametrize(
    ("output", "forms", "written"),
    [
        ("x.srt", [], [("srt", "x.srt")]),
        ("x.SRT", [], [("srt", "x.SRT")]),
        ("x.doc", [], [("txt", "x.doc")]),
        ("x", ["vtt"], [("vtt", "x")]),
        ("x.srt", ["txt"], [("txt", "x.srt")]),
        ("x/", [], [("txt", "x/a.txt")]),
        ("x", ["srt", "json"], [("srt", "x/a.srt"), ("json", "x/a.json")]),
    ],
)
def test_one_recording_goes_to_a_file_or_into_a_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    forms: list[str],
    written: list[tuple[str, str]],
) -> None:
    """The file's ending is its form, where nobody says it. Spec: command-line/Transcripts."""
    monkeypatch.chdir(tmp_path)
    (job,) = plan(recordings("a.wav"), Wishes(output=output, forms=forms)).jobs
    assert [(form, str(path)) for form, path in job.outputs] == written


def test_a_folder_that_is_there_is_one(tmp_path: Path) -> None:
    """Without a slash."""
    assert outputs(plan(recordings("a.wav"), Wishes(output=str(tmp_path)))) == [
        str(tmp_path / "a.txt")
    ]


def test_recordings_of_one_name_keep_their_endings(tmp_path: Path) -> None:
    """So that none replaces another."""
    given_names = ["a.wav", "a.mp3", "b.wav", "sub/a.wav"]
    found = plan(recordings(*given_names), Wishes(output=f"{tmp_path}/", many=True))
    assert outputs(found) == [
        f"{tmp_path}/{name}.txt" for name in ("a.wav", "a.mp3", "b", "sub/a")
    ]


def test_recordings_that_would_be_one_file_are_wrong_use(tmp_path: Path) -> None:
    """As from two folders."""
    several = [Input(f"{part}/a.wav", Path(part, "a.wav"), PurePath("a")) for part in "xy"]
    with pytest.raises(ConfigError, match="one by one"):
        plan(several, Wishes(output=f"{tmp_path}/", many=True))


@given(
    st.lists(st.text("ab./", min_size=1, max_size=4), max_size=6, unique=True),
    st.lists(st.sampled_from(sorted(FORMATS)), max_size=3, unique=True),
)
def test_no_two_transcripts_share_a_file(names: list[str], forms: list[str]) -> None:
    """Or it is told. Spec: command-line/Transcripts."""
    inputs = [
        Input(name, Path(f"{name}.wav"), PurePath(name.strip("./") or "a")) for name in names
    ]
    try:
        found = outputs(plan(inputs, Wishes(output="out/", forms=forms, many=True)))
    except ConfigError:
        return
    assert len(found) == len(set(found)) == len(names) * max(1, len(forms))


def test_a_file_in_place_of_the_folder_is_wrong_use(tmp_path: Path) -> None:
    """It cannot hold several."""
    (tmp_path / "x").touch()
    with pytest.raises(ConfigError, match="is a file"):
        plan(recordings("a.wav", "b.wav"), Wishes(output=str(tmp_path / "x"), many=True))


def test_what_is_there_stays_and_the_others_are_done(tmp_path: Path) -> None:
    """Unless one says otherwise. Spec: command-line/Transcripts."""
    (tmp_path / "a.txt").touch()
    several = recordings("a.wav", "b.wav")

    found = plan(several, Wishes(output=str(tmp_path), many=True))
    assert outputs(found) == [str(tmp_path / "b.txt")]
    ((name, text),) = found.faults
    assert name == "a.wav"
    assert "is there already; --force" in text

    forced = plan(several, Wishes(output=str(tmp_path), many=True, force=True))
    assert (len(forced.jobs), forced.faults) == (2, ())


@pytest.mark.parametrize("force", [False, True])
def test_a_recording_is_never_replaced(tmp_path: Path, force: bool) -> None:
    """Whatever is asked for, by whatever name. Spec: command-line/Transcripts."""
    recording = tmp_path / "a.wav"
    recording.touch()
    (tmp_path / "link.txt").symlink_to(recording)
    (given_input,) = recordings(str(recording))
    for output in (recording, tmp_path / "link.txt"):
        with pytest.raises(ConfigError, match="is one of the recordings"):
            plan([given_input], Wishes(output=str(output), force=force))


def test_devices_may_be_written(tmp_path: Path) -> None:
    """Nothing is replaced there."""
    assert outputs(plan(recordings("a.wav"), Wishes(output="/dev/null"))) == ["/dev/null"]
    assert plan(recordings("a.wav"), Wishes(output="-")).printed == "txt"
    assert not list(tmp_path.iterdir())


def test_forms() -> None:
    """With commas, or one by one, each once."""
    assert forms_of(["srt,VTT", "json srt"]) == ("srt", "vtt", "json")
    assert forms_of([]) == ()
    with pytest.raises(ConfigError, match=r"--format doc.*txt, srt"):
        forms_of(["srt,doc"])


@pytest.mark.parametrize(
    ("wishes", "written"),
    [
        (Wishes(), [("svg", "a.svg")]),
        (Wishes(output="x.srt"), [("srt", "x.srt"), ("svg", "x.svg")]),
        (Wishes(output="x"), [("txt", "x"), ("svg", "x.svg")]),
        (Wishes(output="x.svg"), [("svg", "x.svg")]),
        (Wishes(output="x/"), [("txt", "x/a.txt"), ("svg", "x/a.svg")]),
        (Wishes(output="x/", forms=["md"]), [("md", "x/a.md"), ("svg", "x/a.svg")]),
    ],
)
def test_a_picture_is_beside_the_text(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wishes: Wishes,
    written: list[tuple[str, str]],
) -> None:
    """In the current folder where text goes to stdout. Spec: command-line/Pictures."""
    monkeypatch.chdir(tmp_path)
    (job,) = plan(recordings("a.wav"), replace(wishes, plot=True)).jobs
    assert [(form, str(path)) for form, path in job.outputs] == written


def test_the_ending_svg_is_a_picture() -> None:
    """Also where nobody says so."""
    (job,) = plan(recordings("a.wav"), Wishes(output="nowhere/x.svg")).jobs
    assert job.outputs == (("svg", Path("nowhere/x.svg")),)


def test_a_picture_that_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it may be replaced. Spec: command-line/Pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.svg").touch()

    found = plan(recordings("a.wav", "b.wav"), Wishes(plot=True, many=True))

    assert outputs(found) == ["b.svg"]
    assert found.printed == "txt"
    ((name, text),) = found.faults
    assert name == "a.wav"
    assert "--force" in text
    found = plan(recordings("a.wav"), Wishes(plot=True, force=True))
    assert outputs(found) == ["a.svg"]


def test_a_picture_in_place_of_a_recording_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever that is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.svg").write_text("sound")
    with pytest.raises(ConfigError, match="one of the recordings"):
        plan(recordings("a.svg"), Wishes(plot=True, force=True))


def test_a_picture_in_place_of_the_text_is_wrong_use() -> None:
    """As is a picture as a form."""
    with pytest.raises(ConfigError, match="name a folder"):
        plan(recordings("a.wav"), Wishes(plot=True, forms=["txt"], output="x.svg"))
    with pytest.raises(ConfigError, match="--plot"):
        forms_of(["svg"])
