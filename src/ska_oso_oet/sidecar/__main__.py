"""``python -m ska_oso_oet.sidecar``: the same as ``oet-sidecar``."""

from .command import main

main()
