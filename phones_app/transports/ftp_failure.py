"""What went wrong in an FTP conversation, as one TransportError: a stable code and a sentence."""

import ftplib
import re
import ssl

from contacts_app.transports.errors import TransportError

from .ftp_wire import FtpWire

# The first type that fits decides: code, permanent, sentence.
FAILURES: tuple[tuple[type[Exception], str, bool, str], ...] = (
    (TimeoutError, "timeout", False, "the server did not answer in time"),
    (ConnectionRefusedError, "refused", False, "the connection was refused"),
    (ssl.SSLCertVerificationError, "certificate", True, "the server's certificate is not trusted"),
    (ssl.SSLError, "tls", False, "the encrypted connection failed"),
    (EOFError, "disconnected", False, "the server closed the connection"),
    (ConnectionError, "disconnected", False, "the server closed the connection"),
    (ftplib.Error, "protocol", False, "the server does not keep to the protocol"),
    (OSError, "unreachable", False, "the connection failed"),
    (ValueError, "bad-value", True, "the value cannot be sent"),
)
# Answers that say more than the step in which they came (RFC 959 §4.2, RFC 4217 §10.2).
ANSWER_CODES = {
    "421": "disconnected",
    "425": "data-connection",
    "426": "data-connection",
    "452": "disk-full",
    "552": "disk-full",
    "522": "tls-session-reuse",
}
# Servers that pass on what the operating system said may use any code: pyftpdlib answers 426 to a full disk.
DISK_FULL = re.compile(r"no space left|disk (is )?full|quota exceeded|insufficient storage", re.IGNORECASE)
SESSION_REUSE = (
    "the server accepts data connections only if they resume the TLS session of the control connection, "
    "and this one was not resumed; switch that requirement off at the server "
    "(proftpd: TLSOptions NoSessionReuseRequired, vsftpd: require_ssl_reuse=NO)"
)


def explain(error: Exception, step: str, doing: str, wire: FtpWire) -> TransportError:
    """Return the error to raise; `step` is its code unless the answer or the failure tells more."""
    exchange = wire.transcript.so_far()
    code, permanent, sentence = _reason(error, step)
    if wire.data_session_reused is False and code in ("data-connection", "tls", "disconnected"):
        code = "tls-session-reuse"
    if code == "tls-session-reuse":
        permanent, sentence = True, f"{SESSION_REUSE}: {error}"
    return TransportError(
        f"Could not {doing}: {sentence}",
        permanent,
        code=code,
        request=exchange.request,
        answer=exchange.answer,
    )


def is_answer(error: BaseException | None) -> bool:
    """Say whether the server itself declined, so that the conversation can go on."""
    return isinstance(error, ftplib.error_temp | ftplib.error_perm)


def _reason(error: Exception, step: str) -> tuple[str, bool, str]:
    if is_answer(error):
        answer = str(error)
        code = "disk-full" if DISK_FULL.search(answer) else ANSWER_CODES.get(answer[:3], step)
        return code, answer.startswith("5"), f"the server answered {answer[:300]}"
    for kind, code, permanent, sentence in FAILURES:
        if isinstance(error, kind):
            return code, permanent, f"{sentence} ({error})"
    raise error
