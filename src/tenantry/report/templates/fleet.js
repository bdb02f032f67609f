"use strict";
(() => {
  const table = document.getElementById("fleet");
  if (!table) return;
  const tools = document.querySelector(".tools");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const unfold = document.getElementById("unfold");
  const tenants = [...table.tBodies].map((body) => ({
    body,
    button: body.querySelector(".fold"),
    detail: body.querySelector(".detail"),
    text: body.textContent.toLowerCase(),
  }));

  const show = (tenant, open) => {
    if (!tenant.button) return;
    tenant.detail.hidden = !open;
    tenant.button.setAttribute("aria-expanded", String(open));
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = document.querySelector("input[name=state]:checked")?.value ?? "";
    let count = 0;
    for (const { body, text } of tenants) {
      const fits = (!state || body.dataset.state === state) && words.every((word) => text.includes(word));
      body.hidden = !fits;
      count += fits;
    }
    found.textContent = `${count} of ${tenants.length}`;
  };

  const valueOf = (body, column) => {
    const cell = body.rows[0].cells[column];
    const value = cell.dataset.value;
    return cell.classList.contains("number") ? (value === "" ? NaN : Number(value)) : value;
  };

  const sort = (head, column) => {
    const first = head.querySelector("button").dataset.first;
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const one of table.tHead.rows[0].cells) one.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = tenants.map(({ body }) => ({ body, key: valueOf(body, column) }));
    keyed.sort((a, b) => {
      if (typeof a.key === "string") {
        if (!a.key !== !b.key) return a.key ? -1 : 1;
        return sign * a.key.localeCompare(b.key, "en", { numeric: true });
      }
      if (Number.isNaN(a.key) || Number.isNaN(b.key)) return Number.isNaN(a.key) - Number.isNaN(b.key);
      return sign * (a.key - b.key);
    });
    table.append(...keyed.map(({ body }) => body));
  };

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => sort(head, column));
  });
  for (const tenant of tenants) {
    show(tenant, false);
    tenant.button?.addEventListener("click", () => show(tenant, tenant.detail.hidden));
  }
  const unfoldTarget = () => {
    const tenant = tenants.find(({ body }) => `#${body.id}` === location.hash);
    if (!tenant) return;
    search.value = "";
    const all = document.querySelector("input[name=state][value='']");
    if (all) all.checked = true;
    filter();
    show(tenant, true);
    tenant.body.scrollIntoView();
    tenant.button?.focus({ preventScroll: true });
  };
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    unfold.textContent = open ? "Fold all" : "Unfold all";
    for (const tenant of tenants) show(tenant, open);
  });
  search.addEventListener("input", filter);
  tools.addEventListener("change", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", unfoldTarget);
  tools.hidden = false;
  filter();
  unfoldTarget();
})();
