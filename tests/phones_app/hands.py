"""A person at a simulated phone, who reads its screen, presses what stands there, and pulls its plug."""

from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.objects import PhoneObject
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import Fault


def switch_off(fleet: FleetThread, mac: str) -> None:
    """Take the power of a phone that runs, and wait until it is dark.

    It notices on a loop of its own: one that still starts, or gets its power back before that, goes on as if it had been
    on all the time.
    """
    one = fleet[mac]
    assert fleet.wait_until(lambda: one.registered), list(one.history)
    one.fault = Fault.POWERED_OFF
    assert fleet.wait_until(lambda: not one.is_up), list(one.history)


def switch_on(fleet: FleetThread, mac: str) -> None:
    """Give the power back, and wait until the phone is registered."""
    one = fleet[mac]
    one.fault = Fault.NONE
    assert fleet.wait_until(lambda: one.registered), list(one.history)


class Hands:
    """A person at a simulated phone."""

    def __init__(self, fleet: FleetThread, phone: SimulatedPhone) -> None:
        self.fleet, self.phone = fleet, phone

    @property
    def shown(self) -> PhoneObject | None:
        return self.phone.window.shown

    def key(self, name: str) -> PhoneObject | None:
        self.fleet.do(self.phone.window.press(name))
        return self.shown

    def soft_key(self, name: str) -> PhoneObject | None:
        position = next(place for place, (label, _) in self.shown.keys.items() if label == name)
        self.fleet.do(self.phone.window.press_soft_key(position))
        return self.shown

    def choose(self, name: str) -> PhoneObject | None:
        place = [label for label, _ in self.shown.choices].index(name)
        self.fleet.do(self.phone.window.choose(place))
        return self.shown

    def type(self, **values: str) -> None:
        for name, text in values.items():
            self.phone.window.type(name, text)
