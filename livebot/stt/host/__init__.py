"""Local models in supervised worker processes."""
