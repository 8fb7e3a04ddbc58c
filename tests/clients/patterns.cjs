// Which patterns JavaScript cannot read, or does not find in a text that fits, with or without the
// flag `u`. Standard input: a JSON object of lists of texts, by pattern.

const { readFileSync } = require("node:fs");

for (const [pattern, texts] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  for (const flags of ["", "u"]) {
    try {
      const expression = new RegExp(pattern, flags);
      for (const text of texts.filter((text) => !expression.test(text))) {
        console.log(`${pattern} with the flags "${flags}" refuses ${JSON.stringify(text)}`);
      }
    } catch (error) {
      console.log(error.message);
    }
  }
}
