"""What runs in the process of a script: the worker, the loader of scripts, streams and signals."""
