"""A simulated hospital: recordings and tables whose truth is known. Always marked as simulated."""
