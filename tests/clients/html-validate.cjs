module.exports = {
  extends: ["html-validate:recommended"],
  rules: {
    // Style: HTML takes it in any case.
    "doctype-style": "off",
    // Search engines show 70 characters; a title that holds what somebody searched for may be longer.
    "long-title": "off",
  },
};
