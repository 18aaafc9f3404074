"""The events integration of Phone.com's v4 API: profiles, callbacks, listeners, overview, and its access tokens."""
