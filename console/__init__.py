"""What every program here shares: how its arguments are read, and how it prints and ends.

It knows nothing of Magpie, and imports none of the other packages.
"""
