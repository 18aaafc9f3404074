#!/usr/bin/env python
"""Entry point of every operator command."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.environment import prepare

    prepare()
    execute_from_command_line(sys.argv)
