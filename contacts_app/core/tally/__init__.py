"""Numbers of rows that are too many to be counted for each page: workers count them, for each account and for all."""
