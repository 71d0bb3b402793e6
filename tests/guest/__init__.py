"""Tests that run in a QEMU guest, on a kernel other than the machine's own."""
