"""Evaluation: data in, measures, runs, reports."""
