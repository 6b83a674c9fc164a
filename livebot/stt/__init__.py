"""Speech to text: the engine contract and the engines behind it."""
