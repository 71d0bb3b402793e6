"""What developing netplane needs and running it does not: compiling the datapath, writing the reference pages."""
