"""Benchmarks: how fast the product does its work, against a limit taken in the same run (`python -m bench`).

Machines differ, and so does one machine from hour to hour: only the ratio of two measurements of one run counts.
"""
