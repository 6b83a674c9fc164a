"""What is kept: jobs, transcripts, links, and what live sessions have said lately. SQL."""
