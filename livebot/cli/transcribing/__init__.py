"""`livebot transcribe`: which files go in, where their transcripts go, and how it is shown.

`inputs.py` finds the files, `plan.py` says what each becomes, `batch.py` has them recognised,
`screen.py` shows how far that is, `writing.py` and `results.py` write what came of it.
"""
