"""The messaging dialect, /rest: messaging and outbound voice profiles, number leases, logging in and tokens."""
