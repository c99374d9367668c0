"""From what is on a host to a plan: inventory, policy, judgement, bytes, steps."""
