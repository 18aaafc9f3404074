"""A person at a simulated phone, who reads its screen and presses what stands there."""

from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.objects import PhoneObject
from phones_app.simulator.phone import SimulatedPhone


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
