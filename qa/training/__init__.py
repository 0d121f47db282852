"""Training of the embedded reader: data, network, loop, export, fit. Nothing here runs at answer time."""
