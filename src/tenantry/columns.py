"""The columns that every frame of rows has, whatever the product.

A *rows frame* holds the contract's columns (numbers, integers and booleans as float64, categories
and text as str, times as datetime64[us, UTC]) and the reserved ones below; a *feature frame* holds
the key columns, the reserved ones and one column a feature (float64 or str). Both are sorted by
event time, then key.
"""

EVENT_TIME = "event_time"
"""When the row's event happens, datetime64[us, UTC]."""

KNOWN_AT = "known_at"
"""When the row's features are known, datetime64[us, UTC]."""

LABEL_KNOWN_AT = "label_known_at"
"""When the row's label is known, datetime64[us, UTC]."""

LABEL = "label"
"""The label as float64; NaN while unknown or where there is none."""

RESERVED = (EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT, LABEL)

POOLED_SCORE = "pooled_score"
"""The column that a stacked pipeline reads beside the tenant's own features."""

TENANT = "tenant"
"""The column of the pooled frame that names the tenant; empty where it does not contribute."""

OWNER = "\0owner"
"""The column of a frame of many tenants' rows that says whose each is: the tenant's place in their
list, as float64. No column of a spec can have that name.
"""
