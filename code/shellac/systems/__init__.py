"""The restoration systems, one folder each."""
