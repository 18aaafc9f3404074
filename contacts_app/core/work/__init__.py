"""Work that survives anything: due rows of the database, claimed by workers under leases.

The row is the truth. A nudge (`wake`) tells a worker that rows are due; a lost one costs time until the next sweep. The
worker runs the queue (`queue`): it claims due rows, fair among accounts and capped per server (`claim`), under a lease
that a heartbeat renews (`lease`), so that the rows of a killed process come free by themselves. An app says what its work
is in a class (`kind`) and registers it when it is ready. How to add one: docs/how-to-add-work.md.
"""
