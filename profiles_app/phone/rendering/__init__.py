"""The renderer: template + layered values = the phone's file.

Pure values in, bytes and provenance out: no Django, no database. What it decides is in the configuration spec §1.
"""
