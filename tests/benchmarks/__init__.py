"""Benchmarks of the OET against bare Tango and bare HTTP streaming, on the same machine, in the same run."""
