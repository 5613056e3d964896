"""Bills of materials in the formats that others read, written by the formats' own libraries."""
