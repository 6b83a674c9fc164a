"""The HTTP API: a caller enables and disables rooms, operators look at the service.

Start reading at `server.py`; `schemas.py` is pure and knows what bodies look like.
"""
