"""All parts of the demo, in the order in which they are made: contacts first, who then get mail of the rest."""

from phones_app.demo.parts import calls, contacts, customer, events, messages, numbers, shared, voice
from phones_app.demo.parts.base import DemoPart, Scene

PARTS: tuple[DemoPart, ...] = (
    contacts.PART,
    events.PART,
    customer.PART,
    numbers.PART,
    messages.PART,
    voice.PART,
    calls.PART,
    shared.PART,
)


def make_parts(scene: Scene) -> list[str]:
    """Make what the account has never had, and bring callbacks to the portal's address; the names of what was made."""
    missing = [part for part in PARTS if not part.was_made(scene.account)]
    for part in missing:
        part.make(scene)
    events.follow(scene)
    numbers.follow(scene)
    return [part.name for part in missing]
