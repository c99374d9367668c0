"""From a confirmed plan to a report: guards, removals, health."""
