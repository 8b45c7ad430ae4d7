// Lists that are put in order: <form data-sortable>, its items <li data-item> with a hidden field of their own, buttons
// [data-move]. Without this script the buttons send the form, and the page comes back in the new order.
(() => {
  const sorted = (form) => [...form.querySelectorAll("[data-item]")];

  const ends = (form) => sorted(form).forEach((item, i, all) => {
    const [up, down] = [item.querySelector('[data-move="up"]'), item.querySelector('[data-move="down"]')];
    if (up) up.disabled = i === 0;
    if (down) down.disabled = i === all.length - 1;
  });

  const keep = async (form) => {
    ends(form);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (answer.type !== "opaqueredirect" && !answer.ok) location.reload();
    } catch { location.reload(); }
  };

  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-sortable] [data-move]");
    if (!button) return;
    e.preventDefault();
    const item = button.closest("[data-item]");
    const up = button.dataset.move === "up";
    const other = up ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (up) other.before(item); else other.after(item);
    keep(button.closest("form"));
    const again = button.disabled ? item.querySelector("[data-move]:not(:disabled)") : button;
    if (again) again.focus();
  });

  let dragged = null;
  let before = "";
  const order = (form) => sorted(form).map((i) => i.querySelector("input").value).join("\n");
  document.addEventListener("dragstart", (e) => {
    dragged = e.target.closest ? e.target.closest("[data-sortable] [data-item]") : null;
    if (!dragged) return;
    before = order(dragged.closest("form"));
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", "");
    dragged.classList.add("dragged");
  });
  document.addEventListener("dragover", (e) => {
    const over = e.target.closest ? e.target.closest("[data-item]") : null;
    if (!dragged || !over || over.closest("form") !== dragged.closest("form")) return;
    e.preventDefault();
    const box = over.getBoundingClientRect();
    if (over !== dragged) over[e.clientY > box.top + box.height / 2 ? "after" : "before"](dragged);
  });
  document.addEventListener("drop", (e) => { if (dragged) e.preventDefault(); });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const form = dragged.closest("form");
    dragged.classList.remove("dragged");
    dragged = null;
    if (order(form) !== before) keep(form);
  });
  // A link inside would be dragged in place of its item: items are dragged by their handle alone.
  document.addEventListener("pointerdown", (e) => {
    const handle = e.target.closest("[data-handle]");
    document.querySelectorAll("[data-item]").forEach((item) => { item.draggable = !!handle && item.contains(handle); });
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-handle]").forEach((handle) => { handle.hidden = false; });
  });
})();
