"""Whether the process can take more: the event loop's lag and the memory, against limits.

`gate.py` and `lateness.py` are pure and decide; `memory.py` reads files, and `watch.py` asks
and tells.
"""

from livebot.overload.watch import Overload

__all__ = ["Overload"]
