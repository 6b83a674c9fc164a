"""Whisper, by faster-whisper and CTranslate2; imported in worker processes only."""
