"""Runner of a script in a terminal, without a stack: ``python -m ska_oso_oet.run script.py --name=value``.

For authors of scripts. The code that loads the script and calls its functions is that of the OET's workers.
"""
