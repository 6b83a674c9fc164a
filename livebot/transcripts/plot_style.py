"""How pictures of transcripts look: the page's colours, light or dark as the system is (pure)."""

from collections.abc import Iterable

COLOURS = 8
"""Of speakers; the ninth has one that somebody else has, too."""

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
"""Of FNV-1a with 32 bits."""

STYLE = """
.plot{--back:#f7f5f1;--text:#1f2426;--quiet:#5a605f;--line:#ddd8cf;--bad:#a32a1e;--nobody:#1f6f6b;
--s0:#1b63b8;--s1:#a3366b;--s2:#1c7346;--s3:#865400;--s4:#6a45b0;--s5:#0a6c7c;--s6:#a8421b;
--s7:#5b6612;color:var(--quiet)}
@media(prefers-color-scheme:dark){
.plot{--back:#15171a;--text:#ecebe7;--quiet:#a5aaa8;--line:#31363b;--bad:#ff9d90;--nobody:#7fcdc4;
--s0:#86b8ff;--s1:#f59ac4;--s2:#82d6a4;--s3:#eebf66;--s4:#c4adff;--s5:#70d0e0;--s6:#ffa884;
--s7:#c8d276}}
.plot .s0{color:var(--s0)}.plot .s1{color:var(--s1)}.plot .s2{color:var(--s2)}
.plot .s3{color:var(--s3)}.plot .s4{color:var(--s4)}.plot .s5{color:var(--s5)}
.plot .s6{color:var(--s6)}.plot .s7{color:var(--s7)}
.plot .nobody{color:var(--nobody)}
.plot .quiet{color:var(--quiet)}
.plot text{font:12px system-ui,Arial,sans-serif;fill:currentColor;white-space:pre}
.plot .back{fill:var(--back)}
.plot .head{font-size:18px;font-weight:600;fill:var(--text)}
.plot .time{font-size:11px;text-anchor:middle}
.plot .name{text-anchor:end;font-weight:600}
.plot .word{fill:var(--text);pointer-events:none}
.plot .tick{stroke:var(--line)}
.plot .axis{stroke:var(--quiet)}
.plot .sound{stroke:currentColor;stroke-width:1.4}
.plot .sound.quiet{opacity:.6}
.plot .bar{fill:currentColor;fill-opacity:.17;stroke:currentColor;stroke-opacity:.45}
.plot .bare{fill-opacity:.75}
.plot .missing{fill:url(#plot-missing);stroke:var(--bad)}
.plot .hatch{stroke:var(--bad)}
"""

HATCH = (
    '<pattern id="plot-missing" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0V8" stroke-width="2" '
    'stroke-opacity=".5"/></pattern>'
)
"""What lies over stretches in which words are missing."""


def colours(names: Iterable[str]) -> dict[str, int]:
    """Return a number for each speaker in the order in which they first speak.

    It is the page's (`web/colours.js`): whoever comes back has the same, and others have another
    as far as there are colours.
    """
    given: dict[str, int] = {}
    taken: set[int] = set()
    for name in names:
        if not name or name in given:
            continue
        if len(taken) == COLOURS:
            taken.clear()
        wanted = _hash(name) % COLOURS
        while wanted in taken:
            wanted = (wanted + 1) % COLOURS
        given[name] = wanted
        taken.add(wanted)
    return given


def _hash(text: str) -> int:
    value = _OFFSET
    for mark in text:
        value = (value ^ ord(mark)) * _PRIME & 0xFFFFFFFF
    return value
