"""How the engine runs functions: few at a time, in workers forked from a process that is warm.

Runs in the engine's own process and on its interpreter: standard library only.
"""
