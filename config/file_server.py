"""The settings of the embedded file server, of the files that it gives to phones, and of their firmware."""

from config.environment import env

# --- Embedded file server ----------------------------------------------------------------------------------------
# FTP takes the files in, HTTP on Cisco's port 6970 and TFTP hand them to phones. Phones
# ask for TFTP on port 69, which only a privileged process can have. Phones reach HTTP and TFTP at FILE_SERVER_HOST;
# FTP is for the workers, which are on this machine unless there are others.
FILE_SERVER_HOST = env.str("FILE_SERVER_HOST", default="127.0.0.1")
FILE_SERVER_HTTP_HOST = env.str("FILE_SERVER_HTTP_HOST", default=FILE_SERVER_HOST)
FILE_SERVER_TFTP_HOST = env.str("FILE_SERVER_TFTP_HOST", default=FILE_SERVER_HOST)
FILE_SERVER_FTP_HOST = env.str("FILE_SERVER_FTP_HOST", default="127.0.0.1")
FILE_SERVER_FTP_PORT = env.int("FILE_SERVER_FTP_PORT", default=2121)
FILE_SERVER_HTTP_PORT = env.int("FILE_SERVER_HTTP_PORT", default=6970)
FILE_SERVER_TFTP_PORT = env.int("FILE_SERVER_TFTP_PORT", default=6969)

# What one address may have and ask for, so that it keeps no other waiting (docs/boot-server.md). A whole site may be
# behind one: the defaults are for 2,000 phones that start at once. HTTP connections of all addresses, and of one.
FILE_SERVER_CONNECTIONS = env.int("FILE_SERVER_CONNECTIONS", default=4096)
FILE_SERVER_CONNECTIONS_PER_ADDRESS = env.int("FILE_SERVER_CONNECTIONS_PER_ADDRESS", default=2048)
# Requests by HTTP and TFTP that are being answered to one address at a time (0: any number).
FILE_SERVER_UNDER_WAY_PER_ADDRESS = env.int("FILE_SERVER_UNDER_WAY_PER_ADDRESS", default=1024)
# Requests by HTTP and TFTP from one address in a second (0: any number), and how many may come at once before that holds.
FILE_SERVER_RATE_PER_ADDRESS = env.float("FILE_SERVER_RATE_PER_ADDRESS", default=500.0)
FILE_SERVER_BURST_PER_ADDRESS = env.float("FILE_SERVER_BURST_PER_ADDRESS", default=30_000.0)
# FTP connections of one address, and those of them that have not logged in.
FILE_SERVER_FTP_CONNECTIONS_PER_ADDRESS = env.int("FILE_SERVER_FTP_CONNECTIONS_PER_ADDRESS", default=48)
FILE_SERVER_FTP_LOG_INS_PER_ADDRESS = env.int("FILE_SERVER_FTP_LOG_INS_PER_ADDRESS", default=32)

# Give files of single phones (SEP….cnf.xml, trust lists) only where the phone was last, and in the networks (/24, IPv6
# /64) of the phones at its location. What is refused is counted with the reason at the phone's boot trace.
FILE_SERVER_OWN_FILES_WHERE_KNOWN = env.bool("FILE_SERVER_OWN_FILES_WHERE_KNOWN", default=False)

# --- Shared files ------------------------------------------------------------------------------------------------
# What phones read beside their own files. So much of it an account may have (MB, 0: any amount).
SHARED_FILES_ACCOUNT_MB = env.int("SHARED_FILES_ACCOUNT_MB", default=4096)
# `manage.py prune_history` deletes contents that no shared file has any more when they are so many days old (0: never).
KEEP_UNUSED_CONTENTS_DAYS = env.float("KEEP_UNUSED_CONTENTS_DAYS", default=1.0)

# --- Firmware ----------------------------------------------------------------------------------------------------
# A corrected copy of phones_app/firmware/sets/gates.toml: which loads have to come between others, read in its place.
FIRMWARE_GATES = env.str("FIRMWARE_GATES", default="")
# A phone that has its file reports its new load within so many seconds after the last file of the load that it fetched,
# or the rollout counts it as failed.
UPGRADE_SECONDS = env.float("UPGRADE_SECONDS", default=1800.0)
