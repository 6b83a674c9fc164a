"""Conversations that subtitles must survive: people at once, scripts of all kinds, odd names."""
# ruff: noqa: E501, RUF001  (these are words, and marks that look like others)

from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean

SAID = {
    "en": "and so my fellow Americans, ask not what your country can do for you. It's 42 3.5 e.g.",
    "de": "Das Fahrradversicherung ist, z. B., ärgerlich! Jawohl?",
    "ar": "مرحبا بكم في الاجتماع، كيف حالكم؟ شكرا. ٤٢",
    "he": "שלום לכולם, מה שלומכם? תודה רבה.",
    "ja": "今日は 会議 に ご参加 いただき 、 ありがとう ございます 。 では 始め ましょう",
    "zh": "我们 的 国家 。 请 大家 注意 ， 谢谢 ！ 三 点 42 分",
    "th": "สวัสดี ครับ วันนี้ เรา จะ ประชุม กัน",
    "ko": "안녕하세요 여러분, 오늘 회의를 시작하겠습니다.",
}
"""Words by language; of those without spaces, words are joined."""

SPACELESS = frozenset({"ja", "zh", "th"})

# fmt: off
MARKUP = (
    "<i>", "</b>", "-->", "{\\an8}", "&", "&lt;", "&nbsp;", "&#65;", "<", ">", "<00:00:01.000>", "<v",
    "NOTE", "STYLE", "WEBVTT", "REGION", "1", "42", "00:00:01,000", "X-TIMESTAMP-MAP=LOCAL",
    "\\N", "<c.red>", "a<b", "&amp", "--", "->", "<!--", "]]>", "\u202eevil", "\u2066x", "👩‍👩‍👧", "e\u0301",
    "\ufeff", "\u200b", "\x00", "\x85", "\u2028", "国" * 60, "a" * 90, "ا" * 70, "two words", " lead",
)
NAMES = (
    "", "SPEAKER_1", "Ada", "A < B & C", "<v Bob>", "Zoë: her", "مريم", "山田 太郎", "x" * 100, "-->",
    "{\\an8}", "NOTE", "1", "a\nb", "\u202eevil", "&lt;", "</v>", "Bob.loud", "\x00", " ", "\u200b",
)
# fmt: on
"""What means something to players, or looks as if nothing were there."""


@st.composite
def turns(draw: st.DrawFn, begin: float, speaker: str, *, plain: bool) -> Utterance:
    """Return what somebody says in one go."""
    language = draw(st.sampled_from(sorted(SAID)))
    known = st.sampled_from(SAID[language].split())
    count = draw(st.sampled_from([1, 2, 5, 12, 150]))
    words = (
        known if plain else st.one_of(known, known, st.sampled_from(MARKUP), st.text(min_size=1))
    )
    texts = draw(st.lists(words, min_size=1, max_size=count))
    pace = draw(st.sampled_from([0.0, 0.05, 0.3, 1.5]))
    joined = language in SPACELESS
    said = [
        Word(text, begin + n * pace, begin + (n + 0.8) * pace, joined=joined and n > 0)
        for n, text in enumerate(texts)
    ]
    return Utterance(tuple(said), speaker, language)


@st.composite
def conversations(draw: st.DrawFn, *, plain: bool = False) -> Transcript:
    """Return what some people said, each in order, all at once.

    Args:
        draw: Hypothesis's.
        plain: Whether there are none but words of languages.
    """
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique_by=clean))
    said: list[Utterance] = []
    for name in names:
        now = draw(st.sampled_from([0.0, 0.0, 0.7, 3599.5]))
        for _ in range(draw(st.integers(0, 3))):
            said.append(draw(turns(now, name, plain=plain)))
            now = said[-1].end + draw(st.sampled_from([0.0, 0.2, 5.0]))
    said.sort(key=lambda each: each.start)
    duration = max((each.end for each in said), default=2.0)
    return Transcript(tuple(said), duration, language=draw(st.sampled_from(["", "en", "zh"])))
