"""Sound files: whatever PyAV reads becomes samples, with bounded memory."""
