"""The embedded signaling server and participants behind `livebot demo`."""
