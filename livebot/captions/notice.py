"""What a reader is told in place of words that are lost, in the language of the room."""
# ruff: noqa: RUF001 - languages have letters that look like others.

from dataclasses import dataclass

from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId

NOTICE_S = 3.0
"""Less is not told: a word or two, and the notice would cost more than it explains."""

AGAIN_S = 5.0
"""One outage hits many speakers; a reader is told the same once in this time."""

MINUTES_ABOVE_S = 120.0


@dataclass(frozen=True, slots=True)
class _Phrases:
    interrupted: str
    poor: str
    seconds: str = "s"
    minutes: str = "min"


_PHRASES = {
    "en": _Phrases("captions interrupted", "poor connection: words may be missing"),
    "fr": _Phrases("sous-titres interrompus", "mauvaise connexion : des mots peuvent manquer"),
    "de": _Phrases("Untertitel unterbrochen", "schlechte Verbindung: Wörter können fehlen"),
    "es": _Phrases("subtítulos interrumpidos", "mala conexión: pueden faltar palabras"),
    "it": _Phrases(
        "sottotitoli interrotti", "connessione scarsa: potrebbero mancare delle parole"
    ),
    "nl": _Phrases("ondertiteling onderbroken", "slechte verbinding: er kunnen woorden ontbreken"),
    "pt": _Phrases("legendas interrompidas", "ligação fraca: podem faltar palavras"),
    "pl": _Phrases("napisy przerwane", "słabe połączenie: może brakować słów"),
    "sv": _Phrases("undertexterna avbröts", "dålig anslutning: ord kan saknas"),
    "da": _Phrases("undertekster afbrudt", "dårlig forbindelse: der kan mangle ord"),
    "nb": _Phrases("tekstingen ble avbrutt", "dårlig forbindelse: ord kan mangle"),
    "fi": _Phrases("tekstitys keskeytyi", "huono yhteys: sanoja voi puuttua"),
    "cs": _Phrases("titulky přerušeny", "špatné spojení: některá slova mohou chybět"),
    "ru": _Phrases("субтитры прерваны", "плохая связь: слова могут быть пропущены", "с", "мин"),
    "uk": _Phrases(
        "субтитри перервано", "поганий зв’язок: слова можуть бути пропущені", "с", "хв"
    ),
    "tr": _Phrases("altyazı kesildi", "zayıf bağlantı: kelimeler eksik olabilir", "sn", "dk"),
    "ar": _Phrases("انقطعت الترجمة النصية", "اتصال ضعيف: قد تنقص كلمات", "ث", "د"),
    "he": _Phrases("הכתוביות נקטעו", "חיבור חלש: ייתכן שחסרות מילים", "שנ׳", "דק׳"),
    "ja": _Phrases("字幕が中断しました", "接続不良:言葉が抜けることがあります", "秒", "分"),
    "ko": _Phrases("자막이 중단됨", "연결 불량: 일부 단어가 누락될 수 있음", "초", "분"),
    "zh": _Phrases("字幕中断", "网络不佳:可能有遗漏", "秒", "分钟"),
}
_SAME_AS = {"no": "nb", "nn": "nb"}

LANGUAGES = frozenset(_PHRASES)
"""In any other a notice is in English."""


def text(gap: Gap, language: str) -> str | None:
    """Return what to show for a gap; None where it is too short to be told.

    Args:
        gap: As it is now.
        language: A code such as `de` or `pt-BR`.
    """
    if gap.lost_s < NOTICE_S:
        return None
    base = language.replace("_", "-").partition("-")[0].lower()
    phrases = _PHRASES.get(_SAME_AS.get(base, base), _PHRASES["en"])
    if gap.cause is Cause.NETWORK:
        return f"[{phrases.poor}]"
    if gap.end is None:
        return f"[{phrases.interrupted}]"
    if gap.lost_s > MINUTES_ABOVE_S:
        return f"[{phrases.interrupted} {round(gap.lost_s / 60)} {phrases.minutes}]"
    return f"[{phrases.interrupted} {round(gap.lost_s)} {phrases.seconds}]"


class NoticeBoard:
    """Who of a room was told what lately.

    Talk shows nobody what is said in their own name. So where several speakers' captions
    are interrupted at once, the first notice is for all, and the next one for the first
    speaker.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, set[SessionId]]] = {}

    def readers(
        self, notice: str, speaker: SessionId, readers: list[SessionId], now: float
    ) -> list[SessionId]:
        """Return those to whom a notice in a speaker's name is new, who are then told.

        Args:
            notice: The text.
            speaker: In whose name.
            readers: Everybody who reads.
            now: Seconds on any steady clock.
        """
        self._told = {t: told for t, told in self._told.items() if now - told[0] < AGAIN_S}
        _, told = self._told.setdefault(notice, (now, set()))
        new = [reader for reader in readers if reader not in told]
        told.update(reader for reader in new if reader != speaker)
        return new

    def forget(self) -> None:
        """Tell again: what was said last may not have arrived."""
        self._told.clear()
