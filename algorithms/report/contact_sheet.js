// A contact sheet: marks by button or key, kept in the browser, saved as CSV.
"use strict";
(function () {
  const sheet = document.getElementById("sheet");
  const patches = Array.from(sheet.children);
  const marks = ["right", "wrong", "unsure"];
  const key = "s2clr-topk-" + sheet.dataset.key;
  let current = 0;    // the patch that keys speak of
  let kept = true;    // the browser keeps marks for this page
  let unsaved = false;

  // Browsers may refuse storage to a page from a file, or be full.
  function store() {
    const all = {};
    for (const patch of patches)
      if (patch.dataset.mark) all[patch.dataset.rank] = patch.dataset.mark;
    try {
      localStorage.setItem(key, JSON.stringify(all));
    } catch (error) {
      kept = false;
    }
    document.getElementById("note").hidden = kept;
  }

  function show(patch, mark) {
    if (mark) patch.dataset.mark = mark;
    else delete patch.dataset.mark;
    for (const button of patch.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.is === mark));
  }

  function count() {
    const number = {right: 0, wrong: 0, unsure: 0};
    for (const patch of patches) if (patch.dataset.mark) number[patch.dataset.mark]++;
    const marked = number.right + number.wrong + number.unsure;
    document.getElementById("count").textContent =
      marked + " of " + patches.length + " marked: " + number.right + " right, " +
      number.wrong + " wrong, " + number.unsure + " unsure";
  }

  function mark(patch, value) {
    show(patch, value);
    unsaved = true;
    store();
    count();
  }

  function go(index, focus) {
    const next = Math.min(Math.max(index, 0), patches.length - 1);
    patches[current].tabIndex = -1;
    current = next;
    patches[next].tabIndex = 0;
    if (focus) patches[next].focus();
  }

  // Patches beside each other, as the width of the window has it.
  function columns() {
    const top = patches[0].offsetTop;
    let n = 0;
    while (n < patches.length && patches[n].offsetTop === top) n++;
    return Math.max(n, 1);
  }

  function cell(text) {
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function csv() {
    const lines = ["rank,name,probability,longitude,latitude,mark,model,positive"];
    for (const patch of patches) {
      const d = patch.dataset;
      lines.push([d.rank, d.name, d.probability, d.longitude, d.latitude, d.mark || "",
        sheet.dataset.model, sheet.dataset.positive].map(cell).join(","));
    }
    return lines.join("\n") + "\n";
  }

  function save() {
    const url = URL.createObjectURL(new Blob([csv()], {type: "text/csv"}));
    const link = document.createElement("a");
    link.href = url;
    link.download = sheet.dataset.file;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(function () { URL.revokeObjectURL(url); }, 60000);
    unsaved = false;
  }

  sheet.addEventListener("click", function (event) {
    const patch = event.target.closest(".patch");
    const button = event.target.closest("button");
    if (patch) go(patches.indexOf(patch), false);
    if (button) mark(patch, patch.dataset.mark === button.dataset.is ? "" : button.dataset.is);
  });
  sheet.addEventListener("focusin", function (event) {
    const patch = event.target.closest(".patch");
    if (patch) go(patches.indexOf(patch), false);
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const moves = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns()};
    if (event.key in moves) {
      const next = current + moves[event.key];
      if (next >= 0 && next < patches.length) go(next, true);
    } else if (event.key >= "0" && event.key <= "3" && event.key.length === 1) {
      mark(patches[current], event.key === "0" ? "" : marks[Number(event.key) - 1]);
      if (event.key !== "0") go(current + 1, true);
    } else {
      return;
    }
    event.preventDefault();
  });
  document.getElementById("save").addEventListener("click", save);
  window.addEventListener("beforeunload", function (event) {
    if (unsaved && !kept) event.preventDefault();
  });

  try {
    const all = JSON.parse(localStorage.getItem(key) || "{}");
    for (const patch of patches)
      if (marks.includes(all[patch.dataset.rank])) show(patch, all[patch.dataset.rank]);
  } catch (error) {
    kept = false;
    document.getElementById("note").hidden = false;
  }
  document.getElementById("bar").hidden = false;
  go(0, false);
  count();
})();
