"""What the datapath writes down of its decisions: taken from its ring, told in words, kept on disk and for a while."""
