"""The side of Safe Prune that runs on each Docker host: it plans, guards, removes and reports."""
