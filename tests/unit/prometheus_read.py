#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Usage: prometheus_read.py FILE   -- reads the text format with Prometheus' own Python client; status 1 when it is not well formed.
# Prints each sample as NAME{label="value",...} VALUE with the labels in order.
import sys
from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
seen = set()
for family in families:
    if family.type == "unknown" or not family.documentation:
        sys.exit(f"{family.name} has no type or no help")
    for sample in family.samples:
        labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
        series = f"{sample.name}{{{labels}}}"
        if series in seen:
            sys.exit(f"{series} occurs twice")
        seen.add(series)
        print(series, f"{sample.value:g}")
