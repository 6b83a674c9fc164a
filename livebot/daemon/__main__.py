"""`python -m livebot.daemon` is `livebot daemon`."""

import sys

from livebot.daemon.main import refuse, run
from livebot.errors import ConfigError
from livebot.settings import load_settings

try:
    settings = load_settings()
except ConfigError as exc:
    sys.exit(refuse(exc))
sys.exit(run(settings))
