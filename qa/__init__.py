"""Questions answered with proof: `qa.open(DIR)` gives a library that answers."""
