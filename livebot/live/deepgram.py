"""A conversation in the form of Deepgram's `/v1/listen` (pure): events in, messages out.

Rule: every final of the session becomes one result with `is_final`, in order, once.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from livebot.captions import text as texts
from livebot.feeds.events import EventWord, Final, Gap, Interim, Notice, Numbered, Snapshot
from livebot.live.deepgram_query import Listen
from livebot.live.told import Told

Message: TypeAlias = dict[str, Any]

CONFIDENCE = 1.0
"""The field must be there, and no engine here measures it."""

MOST_GAPS = 32
"""Told at the end: the newest."""

_MODEL = {"name": "livebot", "version": "1", "arch": "livebot"}

_EDGES = re.compile(r"^\W+|\W+$")


class _Control(msgspec.Struct, frozen=True):
    """What clients send as text."""

    type: str


_controls = msgspec.json.Decoder(_Control)


def control(text: str) -> str:
    """Return what a client's message asks for: `KeepAlive`, `Finalize`, `CloseStream` ...

    Empty where it is no such message.
    """
    try:
        return _controls.decode(text).type
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return ""


class Dialogue:
    """What one client is told.

    Args:
        wanted: What it asked for.
        request: Its id, also that of the live session.
        created: When it began, as ISO 8601.
    """

    def __init__(self, wanted: Listen, request: str, created: str) -> None:
        self._wanted = wanted
        self._request = request
        self._created = created
        self._told = Told()
        self._speaking = ""
        self._end = 0.0
        self._heard = 0
        self._from_finalize = 0
        self._finalizing: list[int | None] = []
        self._gaps: dict[str, Gap] = {}

    def heard(self, came: Numbered | Snapshot, position: float) -> list[Message]:
        """Return what to tell of an event; `position` is up to where there is audio."""
        out: list[Message] = []
        if isinstance(came, Snapshot):
            for final in self._told.new(came.finals):
                out += self._final(final)
            self._heard = came.seq
        else:
            out += self._event(came.event, position)
            self._heard = came.seq
        return out + self._finalized()

    def finalize(self) -> None:
        """Note that the client asked for all that was said."""
        self._finalizing.append(None)

    def finalized(self, seq: int) -> list[Message]:
        """Note that all of it is in events up to a number."""
        self._finalizing[self._finalizing.index(None)] = seq
        return self._finalized()

    def refuse(self, kind: str) -> Message:
        """Return what is told of a message that has no effect."""
        if kind == "Configure":
            return {
                "type": "ConfigureFailure",
                "request_id": self._request,
                "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
                "description": "nothing can be changed while audio comes",
            }
        text = "known are KeepAlive, Finalize and CloseStream, and binary audio"
        return {"type": "Error", "variant": "UNKNOWN-MESSAGE", "description": text}

    def ended(self, position: float) -> list[Message]:
        """Return what is told last."""
        return [
            {
                "type": "Metadata",
                "transaction_key": "deprecated",
                "request_id": self._request,
                "sha256": "",
                "created": self._created,
                "duration": position,
                "channels": 1,
                "models": [_MODEL["name"]],
                "model_info": {_MODEL["name"]: _MODEL},
                "warnings": list(self._warnings()),
            }
        ]

    def _event(self, event: Interim | Final | Gap | Notice, position: float) -> list[Message]:
        match event:
            case Interim():
                return self._interim(event, position)
            case Final():
                return self._final(event) if self._told.is_new(event) else []
            case Gap():
                self._gaps[event.gap] = event
                if len(self._gaps) > MOST_GAPS:
                    del self._gaps[next(iter(self._gaps))]
            case Notice():
                pass
        return []

    def _interim(self, event: Interim, position: float) -> list[Message]:
        start = self._end if event.start is None else event.start
        out = self._began(event.utterance, start) if event.text else []
        if self._wanted.interim:
            out.append(self._result(event.text, (), start, max(start, position), is_final=False))
        return out

    def _final(self, event: Final) -> list[Message]:
        out = self._began(event.utterance, event.start)
        end = max(event.start, event.end)
        out.append(
            self._result(
                event.text,
                tuple(_words(event.words, event.start)),
                event.start,
                end,
                is_final=True,
                from_finalize=bool(self._finalizing),
            )
        )
        self._from_finalize += bool(self._finalizing)
        if self._wanted.utterance_ends:
            out.append({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": end})
        self._speaking, self._end = "", end
        return out

    def _began(self, utterance: str, start: float) -> list[Message]:
        """Tell that somebody began to speak, once for each utterance."""
        if utterance == self._speaking:
            return []
        self._speaking = utterance
        if not self._wanted.speech_events:
            return []
        return [{"type": "SpeechStarted", "channel": [0], "timestamp": start}]

    def _finalized(self) -> list[Message]:
        """Answer those who asked for all that was said, as soon as it was told.

        Clients wait for a result that says so, also where nothing was said.
        """
        out: list[Message] = []
        while self._finalizing and (seq := self._finalizing[0]) is not None and seq <= self._heard:
            self._finalizing.pop(0)
            if not self._from_finalize:
                out.append(
                    self._result("", (), self._end, self._end, is_final=True, from_finalize=True)
                )
            self._from_finalize = 0
        return out

    def _result(
        self,
        text: str,
        words: tuple[Message, ...],
        start: float,
        end: float,
        *,
        is_final: bool,
        from_finalize: bool = False,
    ) -> Message:
        best = {
            "transcript": text,
            "confidence": CONFIDENCE if text else 0.0,
            "words": list(words),
        }
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": end - start,
            "start": start,
            "is_final": is_final,
            "speech_final": is_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [best]},
            "metadata": {
                "request_id": self._request,
                "model_info": _MODEL,
                "model_uuid": self._request,
            },
        }

    def _warnings(self) -> Iterator[Message]:
        for name in self._wanted.ignored:
            yield {"parameter": name, "type": "unsupported_parameter", "message": "has no effect"}
        for gap in self._gaps.values():
            end = gap.start + gap.lost_s if gap.end is None else gap.end
            yield {
                "parameter": "",
                "type": "audio_lost",
                "message": f"from {gap.start:.1f} to {end:.1f} s nothing was understood",
            }


def _words(words: Iterable[EventWord], start: float) -> Iterator[Message]:
    """Yield words as Deepgram writes them: bare, and as they stand in the text.

    Pieces that belong together are one. Where nobody knows a time it is that of the word before.
    """
    found: list[EventWord] = []
    for word in words:
        if found and (word.joined or texts.is_punctuation(word.text)):
            last = found[-1]
            end = last.end if word.end is None else word.end
            found[-1] = EventWord(last.text + word.text, last.start, end)
        else:
            found.append(word)
    at = start
    for word in found:
        begin = at if word.start is None else word.start
        at = begin if word.end is None else max(begin, word.end)
        yield {
            "word": _EDGES.sub("", word.text).lower() or word.text,
            "punctuated_word": word.text,
            "start": begin,
            "end": at,
            "confidence": CONFIDENCE,
        }
