"""`python -m tests.bench.one NAME`: one benchmark in a process of its own, as settings are read once; lines of JSON."""

import json
import os
import signal
import sys
from importlib import import_module

import tests.environment  # noqa: F401 - before Django reads its settings
from tests.bench.figures import Figure, compact
from tests.bench.sizes import SIZES
from tests.servers import NoServer


def main(name: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    bench = import_module(f"tests.bench.{name}")
    print(json.dumps({"sizes": SIZES}), flush=True)
    try:
        for figure in bench.measure():
            print(json.dumps({"figure": compact(figure)}), flush=True)
    except NoServer as error:
        print(json.dumps({"figure": compact(Figure("all of it", said=f"not measured: {error}"))}), flush=True)


if __name__ == "__main__":
    # Ended from outside it still ends the servers that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main(sys.argv[1])
