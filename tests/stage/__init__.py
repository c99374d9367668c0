"""Real parts on which Safe Prune is tested and shown: disposable engines, Redis, full hosts, processes."""
