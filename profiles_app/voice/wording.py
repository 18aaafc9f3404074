"""How a refused call is told: the provider's code that comes nearest, and a sentence with the figures of the decision."""

from contacts_app.core.tables import table
from profiles_app.voice.models.admission import Admission

REASONS = table(__file__, "reasons.toml")


def code_of(made: Admission) -> str:
    return str(REASONS[made.reason]["code"])


def message_of(made: Admission) -> str:
    profile = made.profile
    return str(REASONS[made.reason]["message"]).format(
        channels=made.channels,
        spent=f"{made.spent:.2f}",
        destination=made.destination,
        price=made.price,
        max_rate=profile.max_rate,
        daily_spend_limit=profile.daily_spend_limit,
        channel_limit=f"{profile.channel_limit or 0:g}",
    )
