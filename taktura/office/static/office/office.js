// The little that the pages do by themselves. No page needs it to be read; forms work without it.
(() => {
  const search = () => document.getElementById("search");
  const typing = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;

  document.addEventListener("keydown", (e) => {
    const call = (e.key === "k" && (e.ctrlKey || e.metaKey)) || (e.key === "/" && !typing(e) && !e.ctrlKey && !e.altKey);
    if (call && search()) { e.preventDefault(); search().focus(); search().select(); }
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target.matches("[data-send]")) { e.preventDefault(); e.target.form.querySelector(e.target.form.dataset.writes ? `button[name=action][value=${e.target.form.dataset.writes}]` : "button[name=action]").click(); }
    if (e.key === "Escape" && e.target === search()) { search().value = ""; search().blur(); }
    const found = document.getElementById("found");
    if (found && (e.key === "ArrowDown" || e.key === "ArrowUp") && e.target.closest(".search")) {
      const links = [...found.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement);
      const next = e.key === "ArrowDown" ? links[Math.min(at + 1, links.length - 1)] : links[at - 1] || search();
      if (next) { e.preventDefault(); next.focus(); }
    }
  });

  // Lists: selection, and what can be done with it.
  const selection = (form) => {
    const boxes = [...form.querySelectorAll("[data-select]")];
    const chosen = boxes.filter((b) => b.checked).length;
    const bar = form.querySelector("[data-selection]");
    if (!bar) return;
    bar.hidden = chosen === 0;
    bar.querySelector("[data-selected]").textContent = chosen;
    const all = form.querySelector("[data-select-all]");
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    const found = bar.querySelector("[data-all-found]");
    found.classList.toggle("d-none", !all.checked);
    if (!all.checked) found.querySelector("input").checked = false;
  };
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form");
    if (e.target.matches("[data-select-all]"))
      form.querySelectorAll("[data-select]").forEach((b) => { b.checked = e.target.checked; });
    if (e.target.matches("[data-select-part]"))
      e.target.closest("[data-part]").querySelectorAll("[data-select]").forEach((b) => { b.checked = e.target.checked; });
    if (e.target.matches("[data-select], [data-select-all]")) selection(form);
    if (e.target.matches("[data-submit]")) form.requestSubmit();
  });

  // Destructive steps ask first, and say what they take away.
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-ask]");
    if (!button || button.dataset.sure) return;
    e.preventDefault();
    const ask = document.getElementById("ask");
    document.getElementById("ask-text").textContent = button.dataset.ask;
    ask.returnValue = "";  // Escape leaves what was answered before, which may be a yes
    ask.showModal();
    ask.addEventListener("close", () => {
      if (ask.returnValue !== "yes") return;
      button.dataset.sure = "1";
      button.click();
      delete button.dataset.sure;
    }, { once: true });
  });
  document.addEventListener("click", (e) => { if (e.target.closest("[data-print]")) window.print(); });
  // A timer that runs: the server says how long, the page counts on from there.
  const begun = performance.now();
  const two = (n) => String(n).padStart(2, "0");
  const tick = () => document.querySelectorAll("[data-clock]").forEach((clock) => {
    const s = Number(clock.dataset.clock) + Math.floor((performance.now() - begun) / 1000);
    clock.textContent = `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  });
  if (document.querySelector("[data-clock]")) setInterval(tick, 1000);
  // Parts of a form that matter only with a choice: data-when="name=value".
  const when = () => document.querySelectorAll("[data-when]").forEach((part) => {
    const [name, values] = part.dataset.when.split("=");
    part.hidden = !values.split("|").includes(new FormData(part.closest("form")).get(name));
  });
  document.addEventListener("change", when);
  document.addEventListener("click", (e) => {
    const copy = e.target.closest("[data-copy]");
    if (!copy) return;
    navigator.clipboard.writeText(document.querySelector(copy.dataset.copy).textContent.trim());
    const word = copy.querySelector("span");
    if (word && copy.dataset.copied) word.textContent = copy.dataset.copied;
  });

  // What was typed survives a lost session: it is kept in this tab until the form is accepted.
  const SENT = "typed-sent";
  const keep = (path) => "typed:" + path;
  document.addEventListener("input", (e) => {
    const form = e.target.closest("form[data-keep]");
    if (!form) return;
    const typed = [...new FormData(form)].filter(([n, v]) => typeof v === "string" && n !== "csrfmiddlewaretoken" && !form.querySelector(`[name="${CSS.escape(n)}"][type=password]`));
    sessionStorage.setItem(keep(location.pathname), JSON.stringify(typed));
  });
  document.addEventListener("submit", (e) => { if (e.target.matches("form[data-keep]")) sessionStorage.setItem(SENT, location.pathname); });
  // What became of the form that was sent: where another page follows, it was accepted; not where one has to sign in
  // first, or where an error is said.
  const settle = () => {
    const sent = sessionStorage.getItem(SENT);
    sessionStorage.removeItem(SENT);
    if (!sent || document.querySelector("[data-unsaved]")) return;
    if (location.pathname.startsWith("/account/") && !sent.startsWith("/account/")) return;
    if (sent !== location.pathname || document.querySelector("#messages .alert-success")) sessionStorage.removeItem(keep(sent));
  };
  const restore = () => {
    settle();
    const form = document.querySelector("form[data-keep]");
    if (!form) return;
    const typed = sessionStorage.getItem(keep(location.pathname));
    if (!typed) return;
    if (form.querySelector(".has-error, [data-focus], [data-given]")) return;  // the server gave back what was typed
    for (const [name, value] of JSON.parse(typed)) {
      const field = form.elements[name];
      if (field && "value" in field && field.type !== "checkbox" && field.type !== "radio" && field.type !== "file" && (field.type !== "hidden" || name === "seen")) field.value = value;
    }
  };

  // What is typed or ticked while an answer is on its way survives the answer, which was made without it.
  const touched = new WeakMap();
  ["input", "change"].forEach((kind) => document.addEventListener(kind, (e) => touched.set(e.target, performance.now())));
  const among = (name, field) => [...document.getElementsByName(name)].find((one) => !/^(checkbox|radio)$/.test(field.type) || one.value === field.value);
  document.addEventListener("htmx:beforeSend", (e) => { e.detail.xhr.sent = performance.now(); });
  document.addEventListener("htmx:beforeSwap", (e) => {
    const fields = [...e.detail.target.querySelectorAll("[name]:not([type=file])")];
    e.detail.xhr.newer = fields.filter((field) => touched.get(field) > e.detail.xhr.sent);
  });
  document.addEventListener("htmx:afterSwap", (e) => (e.detail.xhr.newer || []).forEach((field) => {
    const now = among(field.name, field);
    if (!now || now === field) return;
    if (/^(checkbox|radio)$/.test(field.type)) now.checked = field.checked; else now.value = field.value;
    touched.set(now, touched.get(field));
  }));

  // Pictures: <canvas data-chart="id of a script of type application/json">, a table of the same data beside it.
  const colours = ["#0b6e4f", "#206bc4", "#f59f00", "#ae3ec9", "#d63939", "#4299e1", "#74b816", "#667382"];
  // A variable's colour as it is drawn: some are mixed from others, which a canvas does not understand.
  const colour = (name) => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.color = `var(${name})`;
    const found = getComputedStyle(probe).color;
    probe.remove();
    const mixed = found.match(/^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\)$/);
    return mixed ? `rgba(${[1, 2, 3].map((i) => 255 * Number(mixed[i])).join(", ")}, ${mixed[4] || 1})` : found;
  };
  const draw = (root) => {
    if (typeof Chart === "undefined") return;
    const style = getComputedStyle(document.documentElement);
    Chart.defaults.font.family = style.getPropertyValue("--tblr-font-sans-serif");
    Chart.defaults.color = colour("--tblr-secondary");
    Chart.defaults.borderColor = colour("--tblr-border-color");
    Chart.defaults.animation = false;
    root.querySelectorAll("canvas[data-chart]").forEach((canvas) => {
      const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
      const language = document.documentElement.lang;
      const whole = new Intl.NumberFormat(language, data.currency ? { style: "currency", currency: data.currency, minimumFractionDigits: 0, maximumFractionDigits: 2 } : {});
      const number = new Intl.NumberFormat(language, data.currency ? { style: "currency", currency: data.currency, maximumFractionDigits: 2 } : {});
      const fine = new Intl.NumberFormat(language, { style: "currency", currency: data.currency || "EUR", maximumFractionDigits: 6 });
      data.datasets.forEach((set, i) => Object.assign(set, { backgroundColor: set.backgroundColor || colours[i % colours.length], borderColor: set.borderColor || colours[i % colours.length], maxBarThickness: 36, ...set }));
      new Chart(canvas, {
        type: data.type || "bar",
        data: { labels: data.labels, datasets: data.datasets },
        options: {
          responsive: true, maintainAspectRatio: false, indexAxis: data.horizontal ? "y" : "x",
          elements: data.linear ? { point: { radius: 0, hitRadius: 8 }, line: { tension: 0, borderWidth: 2 } } : {},
          scales: data.linear ? {
            x: { type: "linear", min: 0, grid: { display: false }, title: { display: true, text: data.x } },
            y: { beginAtZero: true, ticks: { callback: (v) => whole.format(v) }, title: { display: true, text: data.datasets[0].label } },
            y1: { beginAtZero: true, position: "right", grid: { display: false }, ticks: { callback: (v) => fine.format(v) }, title: { display: true, text: data.datasets[1].label } },
          } : {
            [data.horizontal ? "y" : "x"]: { stacked: !!data.stacked, grid: { display: false } },
            [data.horizontal ? "x" : "y"]: { stacked: !!data.stacked, beginAtZero: true, ticks: { callback: (v) => whole.format(v) } },
          },
          plugins: { legend: { display: data.datasets.length > 1, position: "bottom" }, tooltip: { callbacks: { label: (c) => `${c.dataset.label}: ${(data.linear ? fine : number).format(data.horizontal ? c.parsed.x : c.parsed.y)}` } } },
        },
      });
    });
  };
  // Bars: <div class="meter" data-share="0.4">: no style in the page's source, since its policy forbids that.
  const bars = (root) => root.querySelectorAll("[data-share]").forEach((e) => { e.style.width = `${Math.min(100, 100 * Number(e.dataset.share))}%`; });

  const ready = (root) => { draw(root); bars(root); };
  document.addEventListener("DOMContentLoaded", () => {
    restore();
    when();
    ready(document);
    const wrong = document.querySelector("[data-focus]");
    if (wrong) wrong.focus();
  });
  document.addEventListener("htmx:load", (e) => { if (e.target !== document.body) ready(e.target); });
  document.addEventListener("htmx:configRequest", (e) => { e.detail.headers["X-Requested-With"] = "XMLHttpRequest"; });
})();
