"""What a job costs and what saturates first: the template and counted work, priced and simulated.

`python -m benchmarks.scale` writes docs/cost-and-scale.md and its pictures.
"""
