"""`livebot listen`: sound that comes now, and its words as they come.

`raw.py` reads samples, `sources.py` and `microphone.py` are where they come from, `screen.py`
shows the words.
"""
