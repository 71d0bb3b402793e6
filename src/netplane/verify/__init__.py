"""What the network should do, said from the records alone, and proofs over tables.

Nothing here knows the compiler, nor the compiler anything of this: that the two agree means something because they
share no code. `intent` does not even know the tables.
"""
