"""Memory: what is counted (meter), what is allowed (budget), what is known (ledger), and who holds it (manager)."""
