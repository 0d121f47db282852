"""Measures, one function each: definition, edge cases and paper stand in its docstring; see `evals.measure`."""
