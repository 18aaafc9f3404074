"""`python -m tests.trace`: which of our files one switch runs through, from the request to `confirmed`.

A reader who wants to understand a switch has to open these files, so their number is a measure of the architecture. The
portal of tests/portal.py plays everything: the request goes through the WSGI application, a Celery worker carries out
what was requested, the embedded file server takes the upload and notes the phone's fetch, and a simulated phone restarts.

A *file* counts when one of its functions was entered between the request and the confirmation. Imports and start-up do
not count: a switch of another phone runs before. Migrations and simulated phones do not count either.
The goal (`--most`) is for the files of *subjects*: a reader follows a switch through them. What they stand on is counted
beside it, because it is read as a library is, by its names: `core`, the middleware and logs of `config`, and the boot
server, which stands for the FTP server of a company.
A *hop* is a call that enters another of our files: the calling function's file, and the function it enters. The caller is
the nearest function of ours on the stack, so a call through Django or Celery is a hop too. The same hop counts once.
"""

import argparse
import inspect
import json
import sys
import threading
from types import CodeType, FrameType

from tests.portal import SECONDS, Portal, with_portal
from tests.servers import wait_for
from tests.warm import ROOT

LIBRARIES = ("contacts_app/core/", "config/", "phones_app/boot/")
OURS = ("config/", "contacts_app/", "profiles_app/", "phones_app/")
NOT_COUNTED = ("/migrations/", "/simulator/")


class Trace:
    """Files and hops in the order in which they were first entered, by every thread that has `enter` as its hook."""

    def __init__(self) -> None:
        self.recording = False
        # Dictionaries serve as ordered sets.
        self.files: dict[str, None] = {}
        self.hops: dict[tuple[str, str], None] = {}
        self._paths: dict[CodeType, str] = {}

    @property
    def of_subjects(self) -> list[str]:
        return [file for file in self.files if not file.startswith(LIBRARIES)]

    def enter(self, frame: FrameType, event: str, _argument: object) -> None:
        """Called by Python at each call and return."""
        if not self.recording or event != "call" or not (file := self._path(frame.f_code)):
            return
        self.files[file] = None
        caller = self._caller(frame)
        if caller and caller != file:
            self.hops[caller, f"{file}:{frame.f_code.co_qualname}"] = None

    def _caller(self, frame: FrameType) -> str:
        """The nearest file of ours up the stack, "" if there is none."""
        above = frame.f_back
        while above and not self._path(above.f_code):
            above = above.f_back
        return self._path(above.f_code) if above else ""

    def _path(self, code: CodeType) -> str:
        """The file of a function of ours, "" for all other code."""
        if code not in self._paths:
            path = code.co_filename.removeprefix(f"{ROOT}/")
            # The bodies of modules and classes run when they are imported; a comprehension is part of its function.
            function = code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<")
            counts = function and path.startswith(OURS) and not any(part in path for part in NOT_COUNTED)
            self._paths[code] = path if counts else ""
        return self._paths[code]


def switch(portal: Portal, mac: str, trace: Trace) -> None:
    """Put a new profile on a phone, and wait until the phone has taken it."""
    body = {"profile_uuid": portal.profile_for(mac), "mac": mac}
    trace.recording = True
    sys.setprofile(trace.enter)
    portal.post("/api/v1/phone-profiles/switch", body)
    sys.setprofile(None)  # looking whether it has ended is not part of the switch
    wait_for(lambda: portal.is_confirmed(mac), SECONDS)
    trace.recording = False


def traced() -> Trace:
    """The second of two switches: the first one makes Python import what it needs."""
    trace = Trace()
    threading.setprofile(trace.enter)

    def use(portal: Portal) -> None:
        for mac, watching in zip(portal.macs, (Trace(), trace), strict=True):
            switch(portal, mac, watching)

    with_portal(use)
    return trace


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.trace", description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, metavar="N", help="Status 1 when there are more files of subjects.")
    parser.add_argument("--json", action="store_true", help="The files and the hops as one JSON object.")
    options = parser.parse_args()
    trace = traced()
    subjects = trace.of_subjects
    if options.json:
        print(json.dumps({"files": list(trace.files), "of_subjects": subjects, "hops": list(trace.hops)}))
    else:
        print(*trace.files, sep="\n")
        print(
            f"{len(subjects)} files of subjects, {len(trace.files) - len(subjects)} of libraries: {len(trace.hops)} hops"
        )
    return int(bool(options.most and len(subjects) > options.most))


if __name__ == "__main__":
    sys.exit(main())
