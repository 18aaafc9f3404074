"""The row of a file that is of no phone any more, made where the phone's own row is deleted or becomes another file's."""

from datetime import datetime

from phones_app.deployment.models import LeftFile, PhoneFile


def left_behind(
    file: PhoneFile,
    reason: str,
    *,
    at: datetime,
    mac: str = "",
    directory: str | None = None,
    account: int | None = None,
) -> LeftFile:
    """What is to be stored of a file with its phone, server and revision; with the MAC address, directory and account of
    before, where these are other ones.
    """
    server = file.server
    assert server is not None, "a file is left on a server"  # noqa: S101
    return LeftFile(
        account_id=file.phone.account_id if account is None else account,
        mac=mac or file.phone.mac,
        file_format=file.file_format,
        server=server,
        directory=server.directory if directory is None else directory,
        sha256=file.sha256,
        profile_name=file.revision.profile.name if file.revision else "",
        reason=reason,
        left_at=at,
    )
