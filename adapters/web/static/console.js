// What a page of the console does by itself: countdowns, the clock, Enter to send, quoting, and keeping the newest line in view.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const now = { server: Date.now(), page: performance.now() };
  const NEAR = 120;

  const serverNow = () => now.server + performance.now() - now.page;
  const two = (number) => String(number).padStart(2, "0");

  function setClock() {
    const shown = byId("now");
    if (!shown) return;
    now.server = Number(shown.dataset.now);
    now.page = performance.now();
    // The server's words carry its time zone: the page only counts on from them.
    const [hours, minutes, seconds] = shown.textContent.split(":").map(Number);
    now.offset = (hours * 3600 + minutes * 60 + seconds) * 1000 - (now.server % 86400000);
  }

  function span(milliseconds) {
    const total = Math.abs(Math.round(milliseconds / 1000));
    const [days, hours] = [Math.floor(total / 86400), Math.floor((total % 86400) / 3600)];
    const rest = `${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
    return (days ? `${days}d ` : "") + (days || hours ? `${two(hours)}:` : "") + rest;
  }

  function tick() {
    const moment = serverNow();
    const shown = byId("now");
    if (shown) {
      const day = (((moment + now.offset) % 86400000) + 86400000) % 86400000;
      shown.textContent = [day / 3600000, (day / 60000) % 60, (day / 1000) % 60].map((n) => two(Math.floor(n))).join(":");
    }
    for (const left of document.querySelectorAll("[data-due]")) {
      const rest = Number(left.dataset.due) - moment;
      left.textContent = `${rest < 0 ? left.dataset.over : left.dataset.left} ${span(rest)}`;
    }
  }

  // ---- the thread

  const atEnd = (thread) => thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR;

  function toEnd() {
    const thread = byId("thread");
    if (thread) thread.scrollTop = thread.scrollHeight;
    if (byId("jump")) byId("jump").hidden = true;
  }

  function dayLines() {
    let day = "";
    for (const item of document.querySelectorAll("#thread > li[data-day]")) {
      const before = item.previousElementSibling;
      if (item.dataset.day !== day && !(before && before.classList.contains("day-line"))) {
        const line = document.createElement("li");
        line.className = "day-line";
        line.textContent = item.dataset.day;
        item.before(line);
      }
      day = item.dataset.day;
    }
  }

  function retireCards(newest) {
    const card = newest && newest.dataset.card;
    if (!card) return;
    for (const item of document.querySelectorAll("#thread > li[data-card]")) {
      if (item !== newest && item.dataset.card === card) item.querySelector(".actions")?.remove();
    }
  }

  // A card that was settled elsewhere (in another conversation, in another app) has nothing left to press here.
  function retireSettled() {
    const settled = new Map([...document.querySelectorAll("[data-settled]")].map((item) => [item.dataset.settled, Number(item.dataset.by)]));
    for (const item of document.querySelectorAll("#thread > li[data-card]")) {
      if (Number(item.id.slice(1)) < settled.get(item.dataset.card)) item.querySelector(".actions")?.remove();
    }
  }

  let wasAtEnd = true;

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (event.target.id !== "thread") return;
    const id = /<li id="(m\d+)"/.exec(event.detail.data);
    if (id && byId(id[1])) event.preventDefault();
    wasAtEnd = atEnd(event.target);
  });

  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target.id === "thread") {
      dayLines();
      const newest = event.target.lastElementChild;
      retireCards(newest);
      if (wasAtEnd || newest.classList.contains("mine")) toEnd();
      else byId("jump").hidden = false;
    }
    if (event.target.id === "settled") retireSettled();
    if (event.target.id === "clock") {
      setClock();
      backToPushed();
    }
    tick();
  });

  // ---- writing

  function quote(button) {
    const message = button.closest("li");
    const words = message.querySelector(".bubble").innerText.trim().replace(/\s+/g, " ");
    byId("quote").value = button.dataset.quote;
    byId("quoting").hidden = false;
    byId("quoting").firstElementChild.textContent = words;
    byId("text").focus();
  }

  function dropQuote() {
    byId("quote").value = "";
    byId("quoting").hidden = true;
    byId("text").focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.quote) quote(button);
    if (button.id === "drop-quote") dropQuote();
    if (button.id === "jump") toEnd();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text") return;
    // While an input method composes a word, Enter chooses it and sends nothing.
    const wanted = byId("composer").classList.contains("mail") ? event.ctrlKey || event.metaKey : !event.shiftKey;
    const sends = event.key === "Enter" && wanted && !event.isComposing && event.keyCode !== 229;
    if (sends) {
      event.preventDefault();
      byId("composer").requestSubmit();
    }
    if (event.key === "Escape" && byId("quote").value) dropQuote();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "composer" && event.detail.elt?.id !== "composer") return;
    byId("text").focus();
    forgetPrompt();
  });

  // What a story put into the box has been said: a reload must not put it there again.
  function forgetPrompt() {
    const here = new URL(location.href);
    if (!here.searchParams.has("say")) return;
    here.searchParams.delete("say");
    history.replaceState(null, "", here);
  }

  // ---- the clock's buttons: who pushes by keyboard pushes again from where they are

  let pushed = "";

  function backToPushed() {
    if (pushed && document.activeElement === document.body) byId(pushed)?.focus({ preventScroll: true });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.closest("#clock")) pushed = event.target.id;
  });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, (event) => {
      if (!event.target.closest("#clock")) pushed = "";
    });
  }

  // ---- trouble

  function notice(text) {
    byId("notice").textContent = text;
    byId("notice").hidden = !text;
  }

  document.addEventListener("htmx:responseError", (event) => {
    const why = event.detail.xhr.responseText.slice(0, 120) || event.detail.xhr.status;
    notice(byId("notice").dataset.failed.replace("{why}", why));
  });
  document.addEventListener("htmx:sendError", () => notice(byId("notice").dataset.lost));
  document.addEventListener("htmx:sseError", () => notice(byId("notice").dataset.lost));
  document.addEventListener("htmx:sseOpen", () => notice(""));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) notice("");
    setTimeout(backToPushed);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "tab-chat") toEnd();
  });

  document.addEventListener("DOMContentLoaded", () => {
    setClock();
    dayLines();
    toEnd();
    tick();
    setInterval(tick, 250);
    // Where typing needs no on-screen keyboard, the input box is ready at once.
    if (matchMedia("(pointer: fine)").matches) (byId("subject") || byId("text"))?.focus({ preventScroll: true });
    document.querySelector(".person[aria-current]")?.scrollIntoView({ block: "nearest" });
  });
})();
