"""CUCM's error codes of extension mobility, under which programs and people know its refusals (Cisco phones spec §6.3).

`/emservice/EMServiceServlet` answers with them, and a `Refusal` of a log-in or log-out names one. What a phone's screen
says is another matter: it does not tell one refusal of a PIN from another (mobility spec §5).
"""

from django.db.models import IntegerChoices


class EmCode(IntegerChoices):
    """Number, and what it means in our own words."""

    UNKNOWN = 0, "Unknown error"
    UNREADABLE = 1, "The request cannot be read"
    NOT_AUTHORISED = 2, "The application is not authorised"
    INVALID_APP_USER = 3, "The application's user is not known"
    POLICY = 4, "The policy does not allow it"
    LOGIN_DISABLED = 5, "Log-in and log-out are switched off"
    DATABASE = 6, "Database error"
    LOGOUT_REQUEST = 7, "The log-out request is not valid"
    UNKNOWN_QUERY = 8, "The type of query is not known"
    DIRECTORY = 9, "The person cannot be authenticated"
    NO_PROXY_RIGHTS = 10, "The application may not act for this person"
    NO_DEVICE = 11, "The phone does not exist"
    NO_PROFILE = 12, "The person has no profile for this phone"
    OTHER_USER = 18, "Another person is logged in on the phone"
    NO_USER = 19, "Nobody is logged in on the phone"
    HOTELING_FLAG = 20, "The hoteling flag is not valid"
    HOTELING_STATUS = 21, "The hoteling status cannot be read"
    DEVICE_DISABLED = 22, "The phone takes no log-ins"
    NO_PERSON = 23, "The person does not exist"
    ELSEWHERE = 25, "The person is logged in on another phone"
    BUSY = 26, "Busy: try again later"
    CHANGE_PIN = 27, "The PIN must be changed first"
    UNTRUSTED_ADDRESS = 28, "The address is not trusted"
    STATUS_SERVICE = 29, "The status of the phone is not available"
    PROXY_REFUSED = 30, "Proxies are not allowed"
