"""A database engine of Django's: SQLite, with a line for those who write."""
