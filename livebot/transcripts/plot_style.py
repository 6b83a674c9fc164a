"""How pictures of transcripts look: the page's colours, light or dark as the system is (pure)."""

COLOURS = 6
"""Of speakers; the seventh has the first one's."""

STYLE = """
.plot{--back:#fbfaf8;--text:#1c1b1a;--quiet:#5f5b55;--line:#e4e0d9;--bad:#a3261b;color:var(--quiet);
--s0:#1d5fbf;--s1:#a13a6f;--s2:#1d7a4a;--s3:#8a5a00;--s4:#6a47b8;--s5:#0b7285}
@media(prefers-color-scheme:dark){
.plot{--back:#151618;--text:#f1efec;--quiet:#a8a49d;--line:#2a2d31;--bad:#ff9a8f;
--s0:#7fb2ff;--s1:#f59ac6;--s2:#7fd7a5;--s3:#f0c36a;--s4:#c3abff;--s5:#6fd3e3}}
.plot .s0{color:var(--s0)}.plot .s1{color:var(--s1)}.plot .s2{color:var(--s2)}
.plot .s3{color:var(--s3)}.plot .s4{color:var(--s4)}.plot .s5{color:var(--s5)}
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
