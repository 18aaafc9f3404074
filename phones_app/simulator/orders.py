"""What a phone may be told to do, and what may be wrong with it."""

from enum import IntEnum, StrEnum


class Order(IntEnum):
    """What the phone does next; of two orders that wait the larger one wins."""

    RESTART = 1
    RESET = 2


class Fault(StrEnum):
    """A condition that a test or a demo puts a phone into, at any time."""

    NONE = ""
    # A call is up: orders are accepted and wait for its end.
    IN_CALL = "in_call"
    # Nothing answers, until the fault is taken away; then the phone boots.
    POWERED_OFF = "powered_off"
    # Another phone has got the address: the status page shows its MAC.
    WRONG_MAC = "wrong_mac"
    # Every answer comes late.
    SLOW = "slow"
    # Every file is given up, as phones do that were bound to a signed cluster (Cisco phones spec §3.6).
    REJECTING = "rejecting"
