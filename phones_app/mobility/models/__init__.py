"""What is stored of people at phones, a file for each idea."""

from phones_app.mobility.models.pins import PinFailures

__all__ = ["PinFailures"]
