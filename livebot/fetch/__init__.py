"""Other people's files, by URL or path: fetched within limits, and kept for as long as needed."""
