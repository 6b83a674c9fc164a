"""A whole Nextcloud Talk call on one machine: real servers, real peers, one network of their own.

Start reading at `hpb.py`. Servers are processes (`process.py`), people are coroutines of the
test (`member.py`, `speaker.py`) or a real browser (`browser.py`), and the bot is the command
`livebot serve` (`bot.py`), reached over HTTP like any administrator's.

For what goes wrong: `link.py` (a socket is cut), `lossy.py` (packets are lost), `stt_proxy.py`
(a speech service is slow), and people who come back (`visitor.py`, `browser_visitor.py`).
"""
