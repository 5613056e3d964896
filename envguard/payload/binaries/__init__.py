"""Native modules as data: read from wheels for any platform, and held against each other; none is ever loaded."""
