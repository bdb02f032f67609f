"""What the parts of a spec are made of: their base, and types that several share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

COLUMN_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"

CONNECTION_NAME = r"^([a-z0-9-]|\{region\}){1,63}$"

VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL)]

ColumnName = Annotated[str, StringConstraints(pattern=COLUMN_NAME)]

ConnectionName = Annotated[str, StringConstraints(pattern=CONNECTION_NAME)]

VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_NAME)]

Share = Annotated[float, Field(ge=0, le=1)]


class SpecPart(BaseModel):
    """Base of all parts of a spec: frozen, unknown fields are faults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )
