"""The embedded signaling server and participants behind `livebot demo`.

Start reading at `main.py`. The server is three pure files (`wire`, `sessions`, `exchange`)
put together in `hub.py`, with `server.py` and `sfu.py` as its sockets and its media. The
participants are `client.py` and `participants.py`; `page/` is one more, in the browser.
"""
