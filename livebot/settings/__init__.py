"""Every setting: from the environment, `.env` and a YAML file in, checked values out.

`model.py` names them all, `values.py` and `ice.py` check single values, `load.py` reads
the sources (and is the only file that does) and turns what is wrong into sentences.
"""

from livebot.settings.ice import IceServer, parse_ice_servers
from livebot.settings.load import load_settings
from livebot.settings.model import Settings
from livebot.settings.values import ApiKey

__all__ = ["ApiKey", "IceServer", "Settings", "load_settings", "parse_ice_servers"]
