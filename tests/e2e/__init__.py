"""The running system, through its webhook."""
