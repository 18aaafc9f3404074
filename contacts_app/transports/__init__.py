"""What the wire of every app stands on: permitted addresses, deadlines, one family of errors, checked HTTP.

No Django here, so that whoever talks to the outside can be tried without a database.
"""
