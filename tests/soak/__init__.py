"""A quarter of an hour of a busy call, and 500 peers in a row: does anything grow?

Not among the tests that every change runs: `make soak`. `SOAK_MINUTES` and `SOAK_PEOPLE` make it
longer or shorter.
"""
