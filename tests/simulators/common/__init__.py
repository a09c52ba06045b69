"""What the simulators of chat platforms share: time, faults, counting, what was shown, and the loopback server."""
