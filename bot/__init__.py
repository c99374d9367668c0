"""The side of Safe Prune that speaks with people in Slack; it has no access to any Docker engine."""
