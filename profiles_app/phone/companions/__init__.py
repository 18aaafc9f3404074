"""What phones read beside their own file and people make: dial templates, soft keys, ring tones, backgrounds.

Plain Python over bytes: no Django, no sockets, no database. Each kind of file has a module that reads it as phones do,
says with line numbers what is wrong with it, and writes it; `check` takes any of them by its kind. Facts and their
grades are in the boot server spec §11.
"""
