"""What a host remembers on its own disk: plans, orders, journal, sightings."""
