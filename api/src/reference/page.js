"use strict";
// The page is whole without this: it folds the index on a phone, searches, and copies.
(() => {
  const index = document.querySelector(".index details");
  if (index && matchMedia("(max-width: 999px)").matches) index.open = false;

  const form = document.querySelector(".search");
  if (form) {
    const input = form.querySelector("input");
    const status = form.querySelector("[role=status]");
    const articles = [...document.querySelectorAll("article")].map((element) => ({
      element,
      text: element.textContent.toLowerCase(),
      entry: document.querySelector(`[data-entry="${element.id}"]`),
    }));
    const search = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const { element, text, entry } of articles) {
        const fits = words.every((word) => text.includes(word));
        element.hidden = !fits;
        if (entry) entry.hidden = !fits;
        if (fits && element.classList.contains("operation")) found += 1;
      }
      for (const section of document.querySelectorAll("main section")) {
        section.hidden = !section.querySelector("article:not([hidden])");
      }
      if (words.length > 0) document.querySelector("main article:not([hidden])")?.scrollIntoView();
      status.textContent = words.length === 0 ? "" : `${found} operation${found === 1 ? "" : "s"}`;
    };
    form.hidden = false;
    // What was asked for has moved by the height of the search.
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
    form.addEventListener("submit", (event) => event.preventDefault());
    input.addEventListener("input", search);
    addEventListener("keydown", (event) => {
      if (event.key === "/" && document.activeElement !== input) {
        event.preventDefault();
        input.focus();
      }
    });
    // A link to what the search has hidden shows everything again.
    addEventListener("hashchange", () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (target && target.closest("[hidden]")) {
        input.value = "";
        search();
        target.scrollIntoView();
      }
    });
  }

  if (navigator.clipboard) {
    for (const pre of document.querySelectorAll("pre")) {
      const text = pre.textContent;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      pre.prepend(button);
    }
  }
})();
