"""Which patterns Python or RE2, as in Go, cannot read, or does not find in a text that fits.

Standard input: a JSON object of lists of texts, by pattern.
"""

import json
import re
import sys

import re2  # type: ignore[import-not-found]

for pattern, texts in json.load(sys.stdin).items():
    for dialect in (re, re2):
        try:
            expression = dialect.compile(pattern)
        except (re.error, re2.error) as error:
            print(f"{dialect.__name__} cannot read {pattern}: {error}")
            continue
        for text in texts:
            if expression.search(text) is None:
                print(f"{dialect.__name__}: {pattern} refuses {text!r}")
