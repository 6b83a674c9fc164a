"""Every setting: from the environment, `.env` and a YAML file in, checked values out.

`backend_fields.py` names those that may differ from one Nextcloud to the next,
`process_fields.py` and `host_fields.py` the others, `appapi.py` what an app of Nextcloud is
given; `model.py` puts them together and says what follows. `values.py`, `ice.py`, `keys.py` and
`backends.py` check single values, `callers.py` what the credentials amount to. `load.py` and
`file.py` read the sources (and are the only files that do) and tell everything that is wrong.
"""

from livebot.settings.appapi import Bind
from livebot.settings.ice import IceServer, parse_ice_servers
from livebot.settings.keys import ApiKey
from livebot.settings.load import load_settings
from livebot.settings.model import DEFAULT_BACKEND, Settings
from livebot.settings.quota import Quota

__all__ = [
    "DEFAULT_BACKEND",
    "ApiKey",
    "Bind",
    "IceServer",
    "Quota",
    "Settings",
    "load_settings",
    "parse_ice_servers",
]
