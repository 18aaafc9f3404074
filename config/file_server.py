"""The settings of the embedded file server, which phones fetch their files from (docs/boot-server.md)."""

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
