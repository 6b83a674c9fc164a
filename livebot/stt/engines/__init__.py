"""Engines, one file each, reached only through the registry."""
