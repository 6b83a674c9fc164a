"""One room's conversation with the signaling server."""
