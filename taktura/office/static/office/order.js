// The order of lines by dragging and by keys; the buttons work without it. What was moved keeps the focus.
(() => {
  const list = () => document.querySelector("form[data-order]");
  let dragged = null;

  const ready = () => {
    const form = list();
    if (form) form.querySelectorAll("[data-article]").forEach((line) => { line.draggable = true; });
  };
  const send = (form) => {
    const moved = form.querySelector("[name=moved]") || form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "moved" }));
    moved.value = dragged.dataset.article;
    form.requestSubmit();
  };

  document.addEventListener("dragstart", (e) => {
    dragged = e.target.closest && e.target.closest("form[data-order] [data-article]");
    if (!dragged) return;
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", dragged.dataset.article);
    dragged.classList.add("dragged");
  });
  document.addEventListener("dragover", (e) => {
    const over = dragged && e.target.closest("form[data-order] [data-article]");
    if (!over) return;
    e.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    over.parentNode.insertBefore(dragged, e.clientY < box.top + box.height / 2 ? over : over.nextSibling);
  });
  document.addEventListener("drop", (e) => { if (dragged && e.target.closest("form[data-order]")) e.preventDefault(); });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    send(dragged.closest("form"));
    dragged = null;
  });

  // Alt with an arrow moves the line in which the focus is.
  document.addEventListener("keydown", (e) => {
    if (!e.altKey || (e.key !== "ArrowUp" && e.key !== "ArrowDown")) return;
    const line = e.target.closest("form[data-order] [data-article]");
    const button = line && line.querySelector(`[name=move][value^="${e.key === "ArrowUp" ? "up" : "down"}:"]`);
    if (!button) return;
    e.preventDefault();
    if (!button.disabled) button.click();
  });

  document.addEventListener("htmx:afterSwap", () => {
    ready();
    const form = list();
    const moved = form && form.querySelector("[data-moved]");
    if (moved) moved.focus();
  });
  document.addEventListener("DOMContentLoaded", ready);
})();
