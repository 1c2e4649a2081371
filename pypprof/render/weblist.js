"use strict";
// The page is whole without this: only the buttons need it.
(function () {
  const root = document.documentElement;
  const lines = () => document.querySelectorAll("details");
  document.getElementById("tools").hidden = false;
  const expand = document.getElementById("expand");
  expand.addEventListener("click", () => {
    const open = expand.textContent === "Expand all";
    for (const line of lines()) line.open = open;
    expand.textContent = open ? "Collapse all" : "Expand all";
  });
  const only = document.getElementById("only");
  only.addEventListener("click", () => {
    const on = document.body.classList.toggle("only");
    only.setAttribute("aria-pressed", String(on));
  });
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
