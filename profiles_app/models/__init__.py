"""WHAT: event, messaging, outbound voice and portal profiles. Their tables arrive with their dialects."""
