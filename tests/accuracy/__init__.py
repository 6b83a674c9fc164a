"""How well speech is understood, and that what is no speech gives no words; `make accuracy`."""
