"""The dialect of notification contacts and preferences, /api/2.0 (notification contacts spec)."""
