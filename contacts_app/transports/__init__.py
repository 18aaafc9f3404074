"""What the wire of every app stands on: permitted addresses, deadlines, one family of errors, checked HTTP,
and for the servers that we run ourselves: small HTTP, TFTP packets, an asyncio loop in a thread.

No Django here, so that whoever talks to the outside can be tried without a database.
"""
