"""Firmware of phones: whether a set of files is complete, and which loads a phone needs on its way to another one.

Plain Python over files: no Django, no sockets, no database. A package is opened (`package`), its `.loads` files are
read (`header`, `loads`) and compared with the files beside them (`verdict`); `gates` knows the order of loads. Names,
completeness, sizes and digests are checked; Cisco's signature is not, which takes Cisco's keys (boot server spec §2).
"""
