"""A spec as the text of a `defs.yaml`: short, in the spec's order, and equal to the spec once it is read again."""

from __future__ import annotations

from typing import Any

import yaml

from training_assets.spec import ModelSpec

COMPONENT = "training_assets.TrainingPipeline"
# Never broken: a column stays on one line.
WIDTH = 1 << 20


def to_yaml(spec: ModelSpec) -> str:
    """Component type and attributes; only what differs from a default, one line for each column."""
    said = spec.model_dump(exclude_defaults=True, mode="python")
    lines = [f"type: {COMPONENT}", "", "attributes:"]
    for section in ModelSpec.model_fields:
        if section not in said:
            continue
        if section == "columns":
            lines.append("  columns:")
            lines += [f"    {one_line(name)}: {one_line(column)}" for name, column in said[section].items()]
        else:
            lines += [f"  {line}" for line in _block({section: said[section]}).splitlines()]
    return "\n".join(lines) + "\n"


LINE_BREAKS = "\n\r\x85\u2028\u2029"


class _Dumper(yaml.SafeDumper):
    """Lists of scalars on one line, and each small mapping in a list on one line."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        """Quote text with a line break that single quotes would fold into a space."""
        broken = isinstance(value, str) and any(mark in value for mark in LINE_BREAKS)
        return super().represent_scalar(tag, value, '"' if broken else style)

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = all(isinstance(each, yaml.ScalarNode) for each in node.value)
        for each in node.value:
            each.flow_style = isinstance(each, yaml.MappingNode)
        return node


def _block(value: dict[str, Any]) -> str:
    return _dumped(value, flow=False)


def one_line(value: object) -> str:
    """A value as YAML on one line; a scalar without the document's end that the dumper puts behind it."""
    return _dumped(value, flow=True).removesuffix("...\n").strip()


def _dumped(value: object, *, flow: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=flow
    )
    return text
