// Counts the characters while the user types. Every page works without this file.
"use strict";

for (const field of document.querySelectorAll("textarea[data-limit]")) {
  const limit = Number(field.dataset.limit);
  const counter = field.form.querySelector("[data-count]");

  const count = () => {
    // Counts as the server does: code points, with a line break as one.
    const length = Array.from(field.value).length;
    counter.hidden = length === 0;
    counter.textContent = `${length} / ${limit}`;
    counter.classList.toggle("over", length > limit);
    // Screen readers announce the count only near the limit.
    counter.setAttribute("aria-live", length > limit - 20 ? "polite" : "off");
  };

  field.addEventListener("input", count);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      field.form.requestSubmit();
    }
  });
  count();
}
