"""Kill and stop processes of a whole installation at random, and see that nothing is lost, doubled or left behind."""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.installation import pick, running
from tests.peers.mail import MailServer

# Everything comes to rest, and is looked at, after so many rounds.
ROUNDS_TO_REST = 25
# From one kill to the next (seconds).
PACE = (0.2, 1.6)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="so many times a process is killed or stopped")
    parser.add_argument("--stops", type=int, default=100, help="of these, so many times one is stopped and goes on")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="that of a run to be repeated")
    parser.add_argument("--on", choices=["postgresql", "sqlite"], default="postgresql")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}, on {options.on}", flush=True)
    mail_server = MailServer()
    with (
        tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as name,
        mail_server.running(),
        running(Path(name), options.on, mail_server) as installation,
        contextlib.ExitStack() as stack,
    ):
        from tests.kills.books import Books

        return rounds(options, installation, Books(installation, options.seed, stack))


def rounds(options: argparse.Namespace, installation, books) -> int:
    chance, stops, failures, started = random.Random(options.seed), options.stops, 0, time.monotonic()
    for number in range(1, options.rounds + 1):
        end = time.monotonic() + chance.uniform(*PACE)
        while time.monotonic() < end:
            installation.look_after()
            time.sleep(0.02)
        victim, seconds = pick(chance, installation.names, stops, options.rounds - number + 1)
        if seconds:
            stops -= 1
            installation.stop(victim, seconds)
        else:
            installation.kill(victim)
        if number % ROUNDS_TO_REST and number < options.rounds:
            continue
        wrong = books.settle() + installation.deadlocks()
        failures += len(wrong)
        print(f"round {number} ({time.monotonic() - started:.0f} s): {books.summary}", *wrong, sep="\n  ", flush=True)
        if any(one.startswith(("not settled", "a customer")) for one in wrong):
            print(installation.states(), flush=True)
            for log in sorted(installation.processes.folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", flush=True)
            break
    print(f"{failures} things are not as they should be" if failures else "nothing lost, doubled or left behind")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
