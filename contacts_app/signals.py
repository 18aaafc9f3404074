"""What this app tells the ones above it, which it cannot import."""

from django.dispatch import Signal

# Something happened that those who listen for events are to hear of. Sent within the transaction of the change,
# with what profiles_app.services.event.emit takes: `account` (None: the portal itself), `extension`, `tags`,
# `data_type`, `data` and `data_object_uuid`.
happened = Signal()

# A row of history is written: sender is the model, with `instance`, `change` ("+", "~" or "-") and `changes`, which maps
# the fields that differ to what they were and are.
recorded = Signal()

# Accounts are to be deleted (`accounts`). Receivers return sentences, each a reason why that cannot be now.
deleting_accounts = Signal()
