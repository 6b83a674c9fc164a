"""Where spaces belong and where a sentence ends."""
# ruff: noqa: RUF001  (this file is about marks that look like others)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions import text as texts
from livebot.stt.engine import Word


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", True),
        ("auto", True),
        ("ko", True),
        ("zh", False),
        ("zh-CN", False),
        ("ZH_tw", False),
        ("th", False),
    ],
)
def test_languages_have_spaces_or_not(language: str, *, expected: bool) -> None:
    """The first part of the code decides."""
    assert texts.has_spaces(language) is expected


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        ("hello there", "en", "hello there"),
        ("hello , there !", "en", "hello, there!"),
        ("he said ( quietly ) so", "en", "he said (quietly) so"),
        ("dit « oui »", "fr", "dit «oui»"),
        ("50 %", "de", "50%"),
        ("use .NET here", "en", "use .NET here"),
        ("use 。 here", "en", "use。 here"),
        ("rock & roll", "en", "rock & roll"),
        ("yes - no", "en", "yes - no"),
        ("我 是 学生 。", "zh", "我是学生。"),
        ("我 用 Python 写", "zh", "我用Python写"),
        ("東京 から New York まで", "ja", "東京からNew Yorkまで"),
        ("he said 你好 。", "en", "he said 你好。"),
        ("the 東京 大学 campus", "en", "the 東京大学 campus"),
        ("สวัสดี ครับ", "th", "สวัสดีครับ"),
        ("ສະບາຍ ດີ", "lo", "ສະບາຍດີ"),
        ("សួស្តី បង", "km", "សួស្តីបង"),
        ("မင်္ဂလာ ပါ", "my", "မင်္ဂလာပါ"),
        ("안녕하세요 여러분", "ko", "안녕하세요 여러분"),
        ("كيف حالك ؟", "ar", "كيف حالك؟"),
        ("आप कैसे हैं ।", "hi", "आप कैसे हैं।"),
        ("", "en", ""),
    ],
)
def test_spaces_are_where_the_writing_has_them(words: str, language: str, expected: str) -> None:
    """By the characters at the seam, and by the language where they leave it open."""
    assert texts.join([Word(word) for word in words.split()], language) == expected


def test_parts_of_a_word_are_joined() -> None:
    """What continues a word follows without a space."""
    words = [Word("Hel"), Word("lo", joined=True), Word("you"), Word("'re", joined=True)]

    assert texts.join(words, "en") == "Hello you're"


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "Really?",
        "No!",
        "He said so.”",
        "(It was.)",
        "in 2024.",
        "at 3.5.",
        "はい。",
        "什么？",
        "そうだ。」",
        "نعم؟",
        "ہے۔",
        "हाँ।",
        "አዎ።",
        "Այո։",
    ],
)
def test_a_sentence_ends(text: str) -> None:
    """In the marks of many writings, and before closing quotes and brackets."""
    assert texts.is_sentence_end(text)


@pytest.mark.parametrize(
    "text",
    ["", "yes", "yes,", "a:", "”", "well…", "well...", "3.5", "3.", "12.30", "example.com"],
)
def test_no_end_without_an_end_mark(text: str) -> None:
    """Numbers and ellipses are no ends either."""
    assert not texts.is_sentence_end(text)


@pytest.mark.parametrize(
    "text", ["e.g.", "i.e.", "U.S.", "z.B.", "J.", "Mr.", "Dr.", "(Mr.", "meet Prof.", "vs."]
)
def test_a_sentence_goes_on(text: str) -> None:
    """Abbreviations and initials are no ends."""
    assert not texts.is_sentence_end(text)


@given(st.text(min_size=1, max_size=80), st.integers(1, 30))
def test_a_head_is_within_the_limit(text: str, limit: int) -> None:
    """Whatever the text, something is cut off and never too much."""
    assert 0 < texts.head_length(text, limit) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "head"),
    [
        ("abcdef", 4, "abcd"),
        ("ab", 4, "ab"),
        ("New York", 6, "New"),
        ("สวัสดี", 3, "สวั"),
        ("ကောင်း", 4, "ကော"),
        ("e\u0301e\u0301", 3, "e\u0301"),
        ("a👩\u200d💻b", 3, "a"),
        ("\u0301\u0301\u0301", 2, "\u0301\u0301"),
    ],
)
def test_a_head_ends_between_characters(text: str, limit: int, head: str) -> None:
    """Vowel signs, accents and parts of an emoji stay with their letter."""
    assert text[: texts.head_length(text, limit)] == head


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 13, "one two three"),
        ("one two three", 9, "two three"),
        ("one two three", 8, "three"),
        ("abcdefgh", 3, "fgh"),
        ("我是学生我是", 3, "生我是"),
    ],
)
def test_the_newest_words_fit(text: str, limit: int, expected: str) -> None:
    """The end of a text begins at a word where there is one."""
    assert texts.newest(text, limit) == expected
