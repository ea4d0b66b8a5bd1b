"""Pages and pictures; quotes only what the rooms below produced."""
