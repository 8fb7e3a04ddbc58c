// What spectral:oas has against OpenAPI documents: a line for each fault or warning.
//
// Arguments: the documents. @stoplight/spectral-cli would say the same, with 90 more packages.

const { readFileSync } = require("node:fs");
const { Spectral } = require("@stoplight/spectral-core");
const { oas } = require("@stoplight/spectral-rulesets");

async function main() {
  const spectral = new Spectral();
  // A summary that says all needs no description.
  spectral.setRuleset({ extends: [oas], rules: { "operation-description": "off" } });
  for (const name of process.argv.slice(2)) {
    for (const found of await spectral.run(JSON.parse(readFileSync(name, "utf8")))) {
      console.log(`${found.code}: ${found.path.join(".")}: ${found.message}`);
    }
  }
}

main();
