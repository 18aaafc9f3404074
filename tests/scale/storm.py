"""A campus after a power cut: when the last phone has its files.

Each phone starts when its switch port has power and its own start is over, gets an address by DHCP, and asks the file
server for its files one after the other. The file server is one queue, first come, first served, with the measured
processor time of a request. What is asked for and for how long phones wait are assumptions, named below.
"""

import heapq
import random
from dataclasses import dataclass

# Milliseconds of one request at the file server (docs/benchmarks.md, boot): the work of the process that answers and of
# the one that writes down what was fetched, as if they had one processor between them.
KEPT, NEW = 0.10, 0.17
# By the clock, where other programs leave them a quarter of a processor.
UNDER_LOAD = 0.68
# Switches give power to their ports within these seconds, one after the other.
POWER = 30.0
# Seconds from power to the first DHCP packet, of phones of one model; they scatter little.
START, SCATTER = 40.0, 5.0
# Requests a second that the DHCP server answers, and how long a phone waits for it: 4, 8, 16, 32 s, each one second
# more or less (RFC 2131 §4.1).
DHCP = 500.0
BACKOFF = (4.0, 8.0, 16.0, 32.0)
# Files that a phone asks for before it registers, and between two of them (its own work).
FILES, THINKS = 12, 0.4
# A phone takes a server that answers so late for dead, and begins again after 15 to 45 s (Cisco phones spec §2.7).
PATIENCE, AGAIN = 10.0, (15.0, 45.0)


@dataclass(frozen=True)
class Storm:
    phones: int
    servers: int
    request: float
    # When each phone had all its files, in order.
    done: list[float]
    asked: int
    given_up: int
    # The longest that a request waited.
    longest: float
    dhcp_again: int

    def at(self, part: float) -> float:
        return self.done[min(len(self.done) - 1, int(part * len(self.done)))]


def simulated(phones: int, *, servers: int = 1, request: float = NEW, seed: int = 1, dhcp: float = DHCP) -> Storm:
    """`request` milliseconds each; phones are spread over the file servers by their location."""
    chance = random.Random(seed)
    # What happens next: when, a number that tells equal times apart, the phone, the file it asks for or -1 for DHCP.
    waiting = [
        (chance.uniform(0, POWER) + chance.gauss(START, SCATTER / 2), number, number, -1) for number in range(phones)
    ]
    heapq.heapify(waiting)
    free, dhcp_free = [0.0] * servers, 0.0
    number, asked, given_up, again, longest = phones, 0, 0, 0, 0.0
    tries, done = [0] * phones, []
    while waiting:
        now, _, phone, file = heapq.heappop(waiting)
        number += 1
        if file < 0:
            wait = BACKOFF[min(tries[phone], len(BACKOFF) - 1)] + chance.uniform(-1, 1)
            answered = max(now, dhcp_free) + 1 / dhcp
            if answered - now > wait:
                # The packet lies in the queue of a server that answers too late; it takes none of its time here.
                tries[phone] += 1
                again += 1
                heapq.heappush(waiting, (now + wait, number, phone, -1))
            else:
                dhcp_free = answered
                heapq.heappush(waiting, (answered, number, phone, 0))
            continue
        asked += 1
        server = phone % servers
        answered = max(now, free[server]) + request / 1000
        if answered - now > PATIENCE:
            # It was asked for, and is answered to someone who has left.
            free[server] = max(now, free[server]) + request / 1000
            given_up += 1
            heapq.heappush(waiting, (now + PATIENCE + chance.uniform(*AGAIN), number, phone, 0))
            continue
        free[server] = answered
        longest = max(longest, answered - now)
        if file + 1 == FILES:
            done.append(answered)
        else:
            heapq.heappush(waiting, (answered + chance.expovariate(1 / THINKS), number, phone, file + 1))
    return Storm(phones, servers, request, sorted(done), asked, given_up, longest, again)
