"""Prices and costs, in exact US dollars."""
