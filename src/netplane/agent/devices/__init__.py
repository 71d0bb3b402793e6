"""What is plugged into this host: its network devices, the ports they stand for, and the tunnel."""
