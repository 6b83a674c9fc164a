"""One receiving peer connection per speaker; the only folder of the bot that imports aiortc."""
