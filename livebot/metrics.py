"""Every Prometheus metric with its help text.

Labels have a handful of values: a component, a kind of fault, an engine; never a room,
a session or anything that was said. `deploy/metrics.md` lists them all.
"""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from livebot import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_CAPTION_S = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Up to the cold start of a remote engine, during which audio waits."""

_LIVE_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)
_FIRST_AUDIO_S = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_LAG_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Fifty milliseconds is the promise; what is above shows by how much it was broken."""


class _Process(Collector):
    """The process's own metrics, which read `/proc`: not before somebody asks for them."""

    def collect(self) -> Iterable[Metric]:
        return ProcessCollector(registry=None).collect()


class Metrics:
    """What one service counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.rooms_active = Gauge(
            "transcription_rooms_active", "Calls being captioned.", registry=registry
        )
        self.speakers_active = Gauge(
            "transcription_speakers_active", "Speakers being listened to.", registry=registry
        )
        self.transcripts = Counter(
            "transcription_transcripts_total",
            "Captions that the signaling server has read; final is true or false.",
            ["final"],
            registry=registry,
        )
        self.captions_dropped = Counter(
            "transcription_captions_dropped_total",
            "Captions that never left because too many waited.",
            registry=registry,
        )
        self.errors = Counter(
            "transcription_errors_total",
            "Faults, by component and type.",
            ["component", "type"],
            registry=registry,
        )
        self.reconnects = Counter(
            "transcription_reconnects_total",
            "Connections begun anew after a loss, by component and reason.",
            ["component", "reason"],
            registry=registry,
        )
        self.latency = Histogram(
            "transcription_latency_seconds",
            "From the end of a caption's last word to its hand-over to the signaling socket.",
            buckets=_CAPTION_S,
            registry=registry,
        )
        self.first_audio = Histogram(
            "transcription_first_audio_seconds",
            "From asking for a speaker's audio to the first sample.",
            buckets=_FIRST_AUDIO_S,
            registry=registry,
        )
        self.engine_streams = Gauge(
            "transcription_engine_streams_active",
            "Open streams to a speech-to-text engine.",
            ["engine"],
            registry=registry,
        )
        self.translations = Counter(
            "transcription_translations_total",
            "Captions wanted in another language by what became of them: translated, failed,"
            " late, refused (not tried). All but the first went out as spoken.",
            ["outcome"],
            registry=registry,
        )
        self._kept(registry)
        self._losses(registry)
        self._audio(registry)
        self._live(registry)
        self._process(registry)

    def _kept(self, registry: CollectorRegistry) -> None:
        self.utterances_dropped = Counter(
            "transcription_transcripts_dropped_total",
            "Utterances of calls that are in no transcript because the database was away for too"
            " long.",
            registry=registry,
        )
        self.audio_not_kept = Counter(
            "transcription_audio_not_kept_seconds_total",
            "Audio that was to be kept and could not be written in time, in seconds.",
            registry=registry,
        )

    def _losses(self, registry: CollectorRegistry) -> None:
        self.engine_up = Gauge(
            "transcription_engine_up",
            "1 while an engine opens streams that give words, 0 while it is down.",
            ["engine"],
            registry=registry,
        )
        self.gap_seconds = Counter(
            "transcription_gap_seconds_total",
            "Audio whose words no reader will see, in seconds, by cause.",
            ["cause"],
            registry=registry,
        )
        self.stalls = Counter(
            "transcription_stalls_total",
            "Times that something seemed to work and gave nothing, by component.",
            ["component"],
            registry=registry,
        )
        self.packets = Counter(
            "transcription_packets_total",
            "Audio packets by what became of them: received, restored (from the next one),"
            " concealed, lost, late, duplicate.",
            ["outcome"],
            registry=registry,
        )
        self.can_accept = Gauge(
            "transcription_can_accept",
            "1 while new rooms are taken, 0 while they are refused.",
            registry=registry,
        )

    def _audio(self, registry: CollectorRegistry) -> None:
        self.audio_received = Counter(
            "transcription_audio_received_seconds_total",
            "Audio received from all speakers, in seconds.",
            registry=registry,
        )
        self.audio_dropped = Counter(
            "transcription_audio_dropped_seconds_total",
            "Audio that no engine heard because the backlog was full, in seconds.",
            registry=registry,
        )
        self.audio_silent = Counter(
            "transcription_audio_silent_seconds_total",
            "Silence put in place of audio that never came, in seconds.",
            registry=registry,
        )

    def _live(self, registry: CollectorRegistry) -> None:
        self.jobs_active = Gauge(
            "transcription_jobs_active",
            "Jobs that this process works on.",
            registry=registry,
        )
        self.jobs = Counter(
            "transcription_jobs_total",
            "Jobs that are over, by outcome: completed, failed, canceled.",
            ["outcome"],
            registry=registry,
        )
        self.live_sessions = Gauge(
            "transcription_live_sessions_active",
            "Live sessions, those included whose clients may come back.",
            registry=registry,
        )
        self.live_refused = Counter(
            "transcription_live_refused_total",
            "Live sessions that were not opened, by reason: stopping, overload, full, quota.",
            ["reason"],
            registry=registry,
        )
        self.live_resumed = Counter(
            "transcription_live_resumed_total",
            "Clients that came back to their live session, by where it was found: memory, store.",
            ["place"],
            registry=registry,
        )
        self.live_latency = Histogram(
            "transcription_live_latency_seconds",
            "From the arrival of the end of an utterance's audio to its final event, in live"
            " sessions.",
            buckets=_LIVE_S,
            registry=registry,
        )
        self.live_snapshots = Counter(
            "transcription_live_snapshots_total",
            "Snapshots sent to readers of live sessions who were too slow for single events.",
            registry=registry,
        )
        self.live_unkept = Counter(
            "transcription_live_unkept_total",
            "Utterances and gaps of live sessions that are missing in their transcripts because"
            " the store did not take them.",
            registry=registry,
        )

    def _process(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "transcription_event_loop_lag_seconds",
            "How late the event loop woke a timer.",
            buckets=_LAG_S,
            registry=registry,
        )
        self._lag_max = Gauge(
            "transcription_event_loop_lag_seconds_max",
            "The longest such delay since the start.",
            registry=registry,
        )
        self.lag_max_s = 0.0
        self.tasks = Gauge(
            "transcription_event_loop_tasks",
            "Tasks of the event loop, finished ones not counted.",
            registry=registry,
        )
        build = Gauge(
            "transcription_build_info",
            "Always 1; the label tells.",
            ["version"],
            registry=registry,
        )
        build.labels(__version__).set(1)
        registry.register(_Process())
        PlatformCollector(registry=registry)

    def observe_lag(self, seconds: float) -> None:
        """Note how late the event loop was once."""
        self._lag.observe(seconds)
        if seconds > self.lag_max_s:
            self.lag_max_s = seconds
            self._lag_max.set(seconds)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format, as `CONTENT_TYPE` says.

        Reads files, so not to be called on the event loop.
        """
        return generate_latest(self.registry)
