"""What is stored of people at phones, a file for each idea."""

from phones_app.mobility.models.directory import DirectoryEntry
from phones_app.mobility.models.enrolment import EnrolmentCode, EnrolmentRequest
from phones_app.mobility.models.pins import PinFailures
from phones_app.mobility.models.policy import MobilityPolicy, PersonMobility, SecondPhone
from phones_app.mobility.models.sessions import PRESENT, MobilitySession, SessionState, Why

__all__ = [
    "PRESENT",
    "DirectoryEntry",
    "EnrolmentCode",
    "EnrolmentRequest",
    "MobilityPolicy",
    "MobilitySession",
    "PersonMobility",
    "PinFailures",
    "SecondPhone",
    "SessionState",
    "Why",
]
