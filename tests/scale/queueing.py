"""Which resource is full first: a closed queueing network, solved by exact mean value analysis (Reiser and Lavenberg,
1980) with stations of several servers, fitted to what `push` has measured.

Jobs are files under way: as many as all workers have connections. Each job waits for the network, then asks for the
processors, the database and whatever lets one at a time. Times are milliseconds, rates are a second.
"""

from dataclasses import dataclass

# Files with rows onto vsftpd on the same two cores (docs/benchmarks.md, push): by number of worker processes.
MEASURED = {1: 534.0, 2: 785.0, 4: 641.0}
# Processor time of a file there: a worker's; PostgreSQL's. The file server's was between these two.
WORKER, DATABASE, FILE_SERVER = 1.07, 0.3, (0.3, 1.0)
# To a server on the same machine a worker has two connections, to others four (phones_app/transports/ftp/pool.py).
NEAR, FAR = 2, 4


@dataclass(frozen=True)
class Station:
    """Where jobs queue: how long one needs it, and how many can be served at the same time."""

    name: str
    demand: float
    servers: int = 1


@dataclass(frozen=True)
class Solved:
    rate: float
    # Parts of the time for which each station is busy, all its servers.
    busy: dict[str, float]

    @property
    def fullest(self) -> str:
        return max(self.busy, key=self.busy.__getitem__)


def solve(stations: list[Station], jobs: int, wait: float) -> Solved:
    """Exact for one class of jobs. `wait` is time in which a job needs nothing that others could want."""
    # Of each station: the probability that so many jobs are there, of a network with one job less.
    found = {station.name: [1.0] + [0.0] * jobs for station in stations}
    rate = 0.0
    for number in range(1, jobs + 1):
        stays = {
            station.name: station.demand
            * sum(
                there / min(there, station.servers) * found[station.name][there - 1] for there in range(1, number + 1)
            )
            for station in stations
        }
        rate = number / (wait + sum(stays.values()))
        for station in stations:
            before, now = found[station.name], [0.0] * (jobs + 1)
            for there in range(1, number + 1):
                now[there] = rate * station.demand / min(there, station.servers) * before[there - 1]
            now[0] = max(0.0, 1.0 - sum(now))
            found[station.name] = now
    busy = {station.name: rate * station.demand / station.servers for station in stations}
    return Solved(1000 * rate, busy)


@dataclass(frozen=True)
class Fit:
    """What no measurement tells: the file server's part, the wait, and what each worker beyond the cores costs."""

    file_server: float
    wait: float
    crowding: float

    def one_machine(self, workers: int, cores: int, connections: int = NEAR) -> Solved:
        """Everything on the same cores. A worker is one process that uses one core at a time."""
        more = 1 + self.crowding * max(0, workers - cores)
        everything = (WORKER + DATABASE + self.file_server) * more
        # Of the processor's time a worker's own is spent at most `workers` at a time: a station of its own holds the
        # part that cannot run side by side.
        alone = WORKER * more / workers
        solved = solve([Station("processor", everything, cores)], workers * connections, self.wait)
        limit = 1000 / alone
        if limit < solved.rate:
            return Solved(limit, {"processor": limit * everything / 1000 / cores, "worker processes": 1.0})
        return Solved(solved.rate, solved.busy | {"worker processes": solved.rate / limit})

    def apart(self, workers: int, database_cores: int, wait: float) -> Solved:
        """Workers with a core each, the database and the file server on machines of their own."""
        stations = [
            Station("worker processes", WORKER, workers),
            Station("database", DATABASE, database_cores),
            Station("file server", self.file_server, 2),
        ]
        return solve(stations, workers * FAR, wait)

    @property
    def errors(self) -> dict[int, float]:
        return {number: self.one_machine(number, 2).rate / rate - 1 for number, rate in MEASURED.items()}


def fitted() -> Fit:
    """The least squares of the relative errors, on a grid."""
    least, most = FILE_SERVER
    grid = (
        Fit(least + (most - least) * server / 14, wait / 20, crowding / 100)
        for server in range(15)
        for wait in range(0, 61, 2)
        for crowding in range(31)
    )
    return min(grid, key=lambda fit: sum(error**2 for error in fit.errors.values()))
