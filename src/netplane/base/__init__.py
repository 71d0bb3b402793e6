"""The ground floor: addresses, id pools, deltas and the incremental engine. No I/O, no clock, no logging."""
