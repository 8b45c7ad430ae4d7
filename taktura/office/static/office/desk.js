// Keys of the service desk: next and previous ticket, answer, note, solve, take. Single keys can be switched off.
(() => {
  const OFF = "desk-keys-off";
  const LIST = "desk-list";
  const typing = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;
  const rows = () => [...document.querySelectorAll("#list a.row-link")];
  const help = () => document.getElementById("keys");
  const off = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };

  // The tickets of the list that was last looked at, in its order; and its address.
  const remember = () => {
    const links = rows();
    if (!document.getElementById("list")) return;
    sessionStorage.setItem(LIST, JSON.stringify({ at: location.pathname + location.search, tickets: links.map((a) => a.getAttribute("href")) }));
  };
  const list = () => JSON.parse(sessionStorage.getItem(LIST) || "null") || { at: "/desk/", tickets: [] };

  const step = (by) => {
    const links = rows();
    if (links.length) {
      const at = links.indexOf(document.activeElement);
      links[Math.max(0, Math.min(links.length - 1, at < 0 && by < 0 ? links.length - 1 : at + by))].focus();
      return;
    }
    const { tickets } = list();
    const at = tickets.indexOf(location.pathname);
    if (at >= 0 && tickets[at + by]) location.assign(tickets[at + by]);
  };

  // An answer or a note: what Ctrl+Enter sends is the button that stands out.
  const write = (kind) => {
    const form = document.querySelector("form[data-writes]");
    const button = form && form.querySelector(`button[name=action][value=${kind}]`);
    if (!button) return;
    form.querySelectorAll("button[name=action]").forEach((b) => b.classList.toggle("btn-primary", b === button));
    form.dataset.writes = kind;
    form.querySelector("textarea").focus();
  };
  const press = (what) => { const button = document.querySelector(`[data-key="${what}"]`); if (button) button.click(); };

  const KEYS = {
    j: () => step(1), k: () => step(-1), u: () => location.assign(list().at), r: () => write("answer"), n: () => write("note"),
    s: () => press("solve"), a: () => press("take"), "?": () => help().showModal(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e) || document.querySelector("dialog[open]")) return;
    const key = KEYS[e.key];
    if (!key || (off() && e.key !== "?")) return;
    e.preventDefault();
    key();
  });
  document.addEventListener("click", (e) => { if (e.target.closest("[data-keys-help]")) help().showModal(); });
  document.addEventListener("change", (e) => {
    if (e.target.matches("[data-keys-on]")) localStorage.setItem(OFF, e.target.checked ? "0" : "1");
  });
  document.addEventListener("DOMContentLoaded", () => {
    remember();
    const box = document.querySelector("[data-keys-on]");
    if (box) box.checked = !off();
  });
  document.addEventListener("htmx:afterSwap", remember);

  // A template goes where the cursor is; behind what was typed where that is the end, or where nobody was in the field.
  const BETWEEN = "\n\n";
  let written = null;  // the field that the cursor was in
  document.addEventListener("focusin", (e) => { if (e.target.matches("#answer-text textarea")) written = e.target; });
  document.addEventListener("htmx:configRequest", (e) => {
    if (e.target.matches("[data-insert]")) e.detail.parameters.text = "";  // the answer is the template alone
  });
  document.addEventListener("htmx:beforeSwap", (e) => {
    const field = document.querySelector("#answer-text textarea");
    if (!field || !e.detail.requestConfig.elt.matches("[data-insert]") || e.detail.isError) return;
    e.detail.shouldSwap = false;
    const text = new DOMParser().parseFromString(e.detail.serverResponse, "text/html").querySelector("textarea").value;
    const end = field.value.length;
    const [from, to] = written === field ? [field.selectionStart, field.selectionEnd] : [end, end];
    const typed = field.value.trimEnd();
    if (from < typed.length) field.setRangeText(text, from, to, "end");
    else field.setRangeText(typed ? BETWEEN + text : text, typed.length, end, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
