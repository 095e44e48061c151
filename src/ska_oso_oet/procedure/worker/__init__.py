"""Code in the process of a script: the worker, the loader of scripts, streams and signals."""
