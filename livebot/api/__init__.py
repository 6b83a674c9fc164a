"""The HTTP API: callers begin and end captions, Nextcloud drives its app, operators look.

Start reading at `server.py`, which puts everything together, and `table.py`, the table of all
routes, from which guard, OpenAPI document (`openapi.py`) and `deploy/security.md` are made too.
Routes: `calls.py`, `talk.py`, `exapp.py`, `ops.py`. What bodies look like: `bodies.py` (in) and
`schemas.py` (out), both pure. Who may, and how much: `auth.py` and its neighbours.
"""
