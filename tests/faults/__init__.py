"""Every part of the system, failing in every way, at every moment of a request that has been confirmed."""
