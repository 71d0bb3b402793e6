"""What the agent answers machines itself: packets punted by the datapath, and DHCP."""
