"""How figures are measured, judged and told, whatever they are about."""
