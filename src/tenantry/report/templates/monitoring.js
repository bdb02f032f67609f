(() => {
  const all = document.getElementById("heat-all");
  if (!all) return;
  const most = 50;
  const tools = document.getElementById("heat-tools");
  const search = document.getElementById("heat-search");
  const found = document.getElementById("heat-found");
  const worst = document.getElementById("heat-worst");
  const matches = document.getElementById("heat-matches");
  const shown = document.querySelectorAll(".heat thead .old").length;
  const kinds = [...document.querySelectorAll(".legend span")].map((one) => ({
    name: one.firstChild.className,
    sign: one.firstChild.textContent,
    words: one.lastChild.textContent,
  }));
  const lines = all.textContent.split("\n").map((line) => line.split(" "));

  const makeCell = (code, column) => {
    const cell = document.createElement("td");
    const kind = code === "." ? null : kinds[Number(code)];
    cell.className = `${kind ? kind.name : ""}${column < shown ? " old" : ""}`;
    if (!kind) return cell;
    const words = document.createElement("span");
    words.className = "hidden";
    words.textContent = kind.words;
    cell.title = kind.words.trim();
    cell.append(kind.sign, words);
    return cell;
  };

  const makeRow = ([tenant, window, codes]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    const link = document.createElement("a");
    head.scope = "row";
    link.href = `${all.dataset.base}${encodeURIComponent(tenant)}/monitoring/${encodeURIComponent(window)}/page.html`;
    link.textContent = tenant;
    head.append(link);
    row.append(head, ...[...codes].map(makeCell));
    return row;
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = words.length ? lines.filter(([tenant]) => words.every((word) => tenant.includes(word))) : [];
    matches.replaceChildren(...fitting.slice(0, most).map(makeRow));
    matches.hidden = !words.length;
    worst.hidden = words.length > 0;
    found.textContent = words.length ? `${fitting.length} of ${lines.length}` : "";
  };

  search.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  filter();
})();
