"""What is said, as events in order: for whoever reads along live, and comes back later."""
