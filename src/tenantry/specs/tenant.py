"""One tenant's spec: its file over the product's defaults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.errors import Fault, SpecError
from tenantry.specs.checks import check
from tenantry.specs.document import read_document
from tenantry.specs.faults import place_in, quoted, read_parts, suggest
from tenantry.specs.feature_checks import columns_of
from tenantry.specs.merge import merge
from tenantry.specs.migrate import migrate
from tenantry.specs.model import Declared, Spec
from tenantry.specs.parts import DNS_LABEL
from tenantry.specs.paths import Location, dotted, find_fields, leaves, shown
from tenantry.specs.product import Product


@dataclass(frozen=True)
class Defaults:
    """A product as far as it could be read: what its tenants' files are merged over.

    Attributes:
        name: The product's name.
        raw: The fields that tenants share, as the file gives them.
        product: The product; lacks the fields in `broken`; None when its file cannot be read.
        broken: Top-level fields that are not what they should be.
        faults: All that is wrong, by path, so that no tenant repeats it.
        lent: Fields that another product's file gives whole → that product.
    """

    name: str
    raw: Mapping[str, Any] = field(default_factory=dict)
    product: Product | None = None
    broken: frozenset[str] = frozenset()
    faults: frozenset[Fault] = frozenset()
    lent: Mapping[str, str] = field(default_factory=dict)

    def parts(self) -> dict[str, Any]:
        """Return the fields that tenants share, checked parts where they are sound."""
        if self.product is None:
            return {}
        sound = [name for name in Declared.model_fields if name not in self.broken]
        parts = dict(self.raw) | {name: getattr(self.product, name) for name in sound}
        if not {"pooled", "features"} & self.broken:
            features = {"features": self.product.features}
            parts["pooled"] = self.product.pooled.model_copy(update=features)
        return parts


class TenantReader:
    """Reads the files of a product's tenants; what they leave alone is shared among all specs."""

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults
        self._parts = defaults.parts()
        self._may_set: frozenset[str] | None = None
        if defaults.product and "tenants_may_set" not in defaults.broken:
            self._may_set = frozenset(defaults.product.tenants_may_set)

    def read(self, path: Path) -> Spec:
        """Read one tenant's file.

        Args:
            path: `<product>/<tenant>.yaml`.

        Raises:
            SpecError: All faults of the file; those of the product are not repeated.
        """
        place = f"{self._defaults.name}/{shown(path.name)}"
        document = migrate(read_document(path, place), place)
        patch = {name: value for name, value in document.items() if name != "tenant"}
        spec, broken = self._merge(path.stem, patch)
        faults = [
            *_check_name(path.stem, document.get("tenant")),
            *self._own(broken, patch),
            *self._check_removals(patch),
            *self._check_may_set(patch),
            *check(spec, patch.keys(), {str(location[0]) for location in broken}),
        ]
        if self._defaults.product and not faults and not self._defaults.broken:
            faults += _check_against(spec, self._defaults.product, patch)
        found = {fault for fault in faults if fault not in self._defaults.faults}
        if found:
            raise SpecError(place_in(place, found))
        return spec

    def _merge(self, tenant: str, patch: Mapping[str, Any]) -> tuple[Spec, dict[Location, Fault]]:
        merged = merge(self._defaults.raw, patch)
        parts = {name: value for name, value in self._parts.items() if name not in patch}
        parts |= {name: merged[name] for name in patch if name in merged}
        return read_parts(Spec, parts | {"product": self._defaults.name, "tenant": tenant})

    def _own(self, found: dict[Location, Fault], patch: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield the faults that are the tenant's; a broken product breaks all its tenants."""
        for location, fault in found.items():
            sound = self._defaults.product is not None and location[0] not in self._defaults.broken
            told = fault in self._defaults.faults or not (sound or fault.fault != "is missing")
            if location[0] in patch and not told:
                yield self._with_origin(location, fault, patch)

    def _with_origin(self, location: Location, fault: Fault, patch: Mapping[str, Any]) -> Fault:
        """Say so when what does not fit comes from the product and not from the tenant's file."""
        at: Any = patch
        for part in location:
            if not isinstance(at, Mapping) or fault.fault == "is missing":
                break
            if part not in at:
                remedy = f"the product sets it; write `{location[-1]}: null` to remove it"
                return Fault(fault.place, fault.fault, remedy)
            at = at[part]
        return fault

    def _check_removals(self, patch: Mapping[str, Any]) -> Iterator[Fault]:
        for location in leaves(patch):
            *above, name = location
            at: Any = patch
            base: Any = self._defaults.raw
            for part in above:
                at = at[part]
                base = base.get(part, {}) if isinstance(base, Mapping) else {}
            if at[name] is not None or (isinstance(base, Mapping) and name in base):
                continue
            fields = find_fields(Spec, above)
            if fields and name not in fields.names:
                names = base if fields.free else fields.names
                yield Fault(dotted(location), "there is nothing to remove", suggest(name, names))

    def _check_may_set(self, patch: Mapping[str, Any]) -> Iterator[Fault]:
        if self._may_set is None:
            return
        listed = ", ".join(sorted(self._may_set)) or "nothing but apiVersion and tenant"
        for location in leaves(patch):
            prefixes = (".".join(location[:n]) for n in range(1, len(location) + 1))
            if self._may_set.isdisjoint(prefixes) and find_fields(Spec, location):
                fault = f"tenants of {self._defaults.name} may not set it"
                yield Fault(dotted(location), fault, f"they may set {listed}")


def filter_values(spec: Spec) -> dict[str, str]:
    """Return which values of which columns make a row the tenant's, e.g. ``{"carrier": "UA"}``.

    Raises:
        SpecError: The pattern of the row filter does not match the tenant's name.
    """
    rule = spec.row_filter
    match = re.fullmatch(rule.pattern, spec.tenant)
    values = match.groupdict() if match else {}
    if not values or None in values.values():
        place = f"{spec.product}/{spec.tenant}.yaml: tenant"
        fault = f"{spec.tenant!r} does not match row_filter.pattern {quoted(rule.pattern)}"
        raise SpecError([Fault(place, fault, "rename the tenant; its name says which rows it has")])
    change = str.upper if rule.case == "upper" else str.lower
    return {column: change(value) for column, value in values.items()}


def _check_name(stem: str, tenant: object) -> Iterator[Fault]:
    if not re.fullmatch(DNS_LABEL.rstrip("$"), stem):
        remedy = "rename it: lower-case letters, digits and '-', at most 63"
        yield Fault("", f"the file's name {quoted(stem)} is not a DNS label", remedy)
    elif tenant is None:
        yield Fault("tenant", "is missing", f"write `tenant: {stem}`")
    elif tenant != stem:
        yield Fault(
            "tenant", f"{quoted(tenant)} is not the file's name {stem!r}", "make them equal"
        )


def _check_against(spec: Spec, product: Product, patch: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what does not go together with the pooled model that all tenants share."""
    if not (spec.pooling.contribute or spec.pooling.receive):
        return
    remedy = "write `pooling: {contribute: false, receive: false}`, or leave it as it is"
    for name in ("label", "key"):
        if name in patch and getattr(spec, name) != getattr(product, name):
            yield Fault(
                name, "differs from the product's, so the pooled model does not fit", remedy
            )
    if spec.classes != product.classes:
        place = f"contract.columns.{spec.label.column}.categories"
        yield Fault(place, "differs from the product's, so the pooled model does not fit", remedy)
    if "contract" in patch:
        columns = {pair[1] for item in product.features.items() for pair in columns_of(*item)}
        for column in sorted(columns - spec.contract.columns.keys()):
            fault = f"{column!r} is missing, which the pooled model reads"
            yield Fault("contract.columns", fault, remedy)
