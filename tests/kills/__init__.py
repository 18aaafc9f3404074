"""`python -m tests.kills`: a whole installation at work, whose processes are killed or stopped one after the other.

It takes minutes to an hour, so that it is no part of the tests (tests/test_kills.py says how it becomes one).
"""
