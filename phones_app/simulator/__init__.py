"""Believable phones and a file server on loopback, for the demo, the tests and load runs.

What a phone does here follows the Cisco phones spec; what no source tells is marked as our own choice where
it is made. Plain asyncio, no Django: the simulator knows the wire and nothing of the portal behind it.
"""
