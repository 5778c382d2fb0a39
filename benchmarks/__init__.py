"""Commands that measure: speed, memory and quality, each beside a peer or a bound in the same run."""
