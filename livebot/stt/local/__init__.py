"""What runs inside a worker process: models and the streaming around them."""
