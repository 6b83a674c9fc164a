"""A whole Nextcloud Talk call on one machine: real servers, real peers, one network of their own.

Start reading at `hpb.py`. Servers are processes (`process.py`), people are coroutines of the
test (`member.py`, `speaker.py`) or a real browser (`browser.py`), and the bot is the command
`livebot serve` (`bot.py`), reached over HTTP like any administrator's.
"""
