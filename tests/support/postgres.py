"""A real PostgreSQL server for tests: Debian's, on a socket of its own, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MISSING = "there is no PostgreSQL server on this machine: apt-get install postgresql"

START_S = 60.0
"""A busy machine takes long."""

_SERVER = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 60
autovacuum = off
listen_addresses = ''
"""


class MissingServerError(Exception):
    """There is no PostgreSQL server on this machine."""


class Server:
    """A server that runs.

    Args:
        programs: The folder of its programs.
        folder: Where its socket and its files are.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder

    def url(self, database: str) -> str:
        """Return the address of a database, as an administrator would write it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, and remove it afterwards; gives its address."""
        name = f"t{uuid.uuid4().hex}"
        self.run("createdb", "--template=template0", "--encoding=UTF8", "--locale=C.UTF-8", name)
        try:
            yield self.url(name)
        finally:
            self.run("dropdb", "--force", name)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's administrator."""
        whose = ["-h", str(self.folder), "-U", "postgres"]
        command = [str(self._programs / program), *whose, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def is_up(self) -> bool:
        """Say whether it answers."""
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False, timeout=60).returncode == 0


@contextmanager
def running() -> Iterator[Server]:
    """Run a server.

    Raises:
        MissingServerError: There is none to run.
    """
    programs = _programs()
    # Sockets have short names, and whoever runs the server must get at the folder.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    try:
        user = _user()
        folder.chmod(0o755)
        if user is not None:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        _run_as(user, [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"])
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"{_SERVER}unix_socket_directories = '{folder}'\n")
        with _process(user, programs, data, folder / "log"):
            server = Server(programs, folder)
            _wait(server)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise MissingServerError(MISSING)
    return found[-1].parent


def _user() -> pwd.struct_passwd | None:
    """Return whom to run the server as; None for ourselves. It refuses to be root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as(user: pwd.struct_passwd | None, command: Sequence[object]) -> list[str]:
    words = [str(word) for word in command]
    if user is None:
        return words
    who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *who, "--", *words]


def _run_as(user: pwd.struct_passwd | None, command: Sequence[object]) -> None:
    subprocess.run(_as(user, command), check=True, capture_output=True, timeout=120, cwd="/")


@contextmanager
def _process(
    user: pwd.struct_passwd | None, programs: Path, data: Path, log: Path
) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            _as(user, [programs / "postgres", "-D", data]),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
        )
    try:
        yield
    finally:
        process.terminate()  # waits for no one that is connected: nobody is
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_S
    while not server.is_up():
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start")
        time.sleep(0.1)
