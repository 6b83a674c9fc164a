"""Who speaks when in a recording: models in a process of their own, voices told apart."""
