"""The command `vsl`: a client of the API, a doctor for its stores, and releases to a stage."""
