"""The dialect of the MyAccount customer profiles, /backend/api/v1/ (MyAccount spec)."""
