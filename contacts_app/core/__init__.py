"""The ground under all three apps. It knows none of their subjects: what it needs of them is registered from above."""
