"""Real traffic between machines, and what came of it: ping, TCP, frames made by hand and captures."""
