/* Names and roles that the generated pages lack. */
(() => {
  "use strict";

  document.querySelector("#search-reset")?.setAttribute("aria-label", "Clear the search");
  for (const list of document.querySelectorAll(".navbar-nav")) list.setAttribute("role", "list");
  for (const item of document.querySelectorAll(".navbar-nav > li")) item.setAttribute("role", "listitem");
  for (const table of document.querySelectorAll(".card-table")) table.setAttribute("tabindex", "0");
})();
