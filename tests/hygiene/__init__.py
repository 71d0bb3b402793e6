"""Tests of the project itself: its layers, its words, its lists, its generated pages."""
