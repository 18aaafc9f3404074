// Small things that the admin's own pages need.
document.documentElement.classList.add("pb-js");
window.patchbay = {
    // Puts an element's text on the clipboard; the older way serves pages without TLS, where the newer one is missing.
    copy(element) {
        if (navigator.clipboard && window.isSecureContext) {
            return navigator.clipboard.writeText(element.textContent);
        }
        const range = document.createRange();
        range.selectNodeContents(element);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        document.execCommand("copy");
        return Promise.resolve();
    },

    // A timeline that replaces itself keeps the blocks open that somebody is reading.
    keepOpen(event) {
        const open = Array.from(event.detail.target.querySelectorAll("details[open]"), (block) => block.dataset.key);
        const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
        open.forEach((key) => page.querySelector(`details[data-key="${key}"]`)?.setAttribute("open", ""));
        event.detail.serverResponse = page.body.innerHTML;
    },

    // What is sent off may take minutes (a sheet of 100,000 rows): say so, count the seconds, and let nobody send it twice.
    busy(form) {
        // Not before the browser has read the form: which button was pressed is a part of it.
        window.setTimeout(() => form.querySelectorAll("[type=submit]").forEach((button) => (button.disabled = true)));
        const said = document.createElement("p");
        said.className = "pb-busy";
        said.setAttribute("role", "status");
        said.innerHTML = "<progress></progress> <span></span>";
        form.after(said);
        const began = Date.now();
        let share = "";
        const tell = () => {
            said.lastChild.textContent = `${form.dataset.busy}${share} ${Math.round((Date.now() - began) / 1000)} s`;
        };
        // Where the work can say which part of it is done. A process that does not know answers with no word for it.
        const ask = async () => {
            const answer = await fetch(form.dataset.progress).catch(() => null);
            const { doing, part } = answer?.ok ? await answer.json() : {};
            if (doing) {
                said.firstChild.value = part;
                share = ` ${doing}: ${Math.floor(part * 100)} % of the file,`;
            }
            window.setTimeout(ask, 1000);
        };
        tell();
        if (form.dataset.progress) {
            ask();
        }
        window.setInterval(tell, 1000);
    },

    // The search over everything. The theme's opens, shows and walks; here Esc closes it at once, the first one is chosen,
    // Enter waits for what is still being looked for, and whoever came from a box is back in it afterwards.
    palette() {
        const theme = searchCommand();
        return Object.assign(theme, {
            before: null,
            waits: false,
            handleShortcut(event) {
                if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey) {
                    event.preventDefault();
                    this.openCommandResults || this.handleOpen();
                }
            },
            open() {
                if (!this.openCommandResults) {
                    this.handleOpen();
                }
            },
            handleOpen() {
                this.before = document.activeElement;
                this.openCommandResults = true;
                this.toggleBodyOverflow();
                // At once, so that no key is lost that is typed before the next frame.
                this.$root.style.removeProperty("display");
                this.$refs.searchInputCommand.focus();
            },
            close() {
                this.$refs.searchInputCommand.value = "";
                document.getElementById("command-results").innerHTML = "";
                this.items = undefined;
                this.totalItems = this.currentIndex = 0;
                this.hasResults = this.waits = false;
                if (this.openCommandResults) {
                    this.openCommandResults = false;
                    this.toggleBodyOverflow();
                    this.before?.focus?.();
                }
            },
            handleOutsideClick() {
                this.close();
            },
            typed() {
                this.currentIndex = 0;
                this.hasResults = this.waits = false;
                // What was found for the text so far comes too late: Enter would open it.
                window.htmx.trigger(this.$refs.searchInputCommand, "htmx:abort");
            },
            found(event) {
                this.handleContentLoaded(event);
                this.currentIndex = this.hasResults ? 1 : 0;
                this.waits && this.hasResults && this.selectItem(false, this.waits === "tab");
                this.waits = false;
            },
            go(newTab) {
                if (this.currentIndex) {
                    this.selectItem(false, newTab);
                } else {
                    this.waits = newTab ? "tab" : "here";
                }
            },
        });
    },

    // Large files: how much of them the portal has. It answers where to go, or what is wrong; the files stay chosen.
    upload(form) {
        const request = new XMLHttpRequest();
        const content = new FormData(form);
        const said = document.createElement("p");
        said.className = "pb-busy";
        said.setAttribute("role", "status");
        said.innerHTML = "<progress></progress> <span></span>";
        const [bar, text] = said.children;
        text.textContent = form.dataset.upload;
        form.nextElementSibling?.matches(".pb-busy") && form.nextElementSibling.remove();
        form.after(said);
        const buttons = form.querySelectorAll("[type=submit]");
        buttons.forEach((button) => (button.disabled = true));
        const refused = (words) => {
            bar.remove();
            text.className = "text-red-600 dark:text-red-500 whitespace-pre-line";
            text.textContent = words;
            buttons.forEach((button) => (button.disabled = false));
        };
        request.upload.addEventListener("progress", (event) => {
            if (event.lengthComputable) {
                bar.max = event.total;
                bar.value = event.loaded;
                const [done, all] = [event.loaded, event.total].map((size) => (size / 1048576).toFixed(1));
                text.textContent = `${form.dataset.upload} ${done} of ${all} MB`;
            }
        });
        request.upload.addEventListener("load", () => {
            bar.removeAttribute("value");
            text.textContent = form.dataset.then;
        });
        request.addEventListener("error", () => refused("The portal did not answer. Nothing is stored; try again."));
        request.addEventListener("load", () => {
            if (!request.getResponseHeader("Content-Type")?.startsWith("application/json")) {
                refused(`The portal refused it (${request.status}). Load this page again.`);
                return;
            }
            const answer = JSON.parse(request.responseText);
            answer.go ? window.location.assign(answer.go) : refused(answer.errors.join("\n"));
        });
        request.open("POST", window.location.href);
        request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
        request.send(content);
    },
};

// Boxes of the theme whose only name is the hint within, which is no label and goes when something is typed.
document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("input[placeholder]:not([aria-label])").forEach((box) => {
        if (!box.labels?.length) {
            box.setAttribute("aria-label", box.placeholder);
        }
    });
});

// More files than the web server takes at once would be refused on a bare page.
document.addEventListener("change", (event) => {
    const most = Number(event.target.dataset?.mostFiles);
    if (most) {
        const many = event.target.files.length > most;
        event.target.setCustomValidity(many ? `At most ${most} files at once. Pack them into one ZIP archive.` : "");
        event.target.reportValidity();
        if (event.target.files.length > 1) {
            // The theme's box names the first one only.
            const box = event.target.closest("div:has(> label)")?.querySelector("input[type=text]") || {};
            box.value = `${event.target.files.length} files`;
        }
    }
});

document.addEventListener("submit", (event) => {
    if (event.target.dataset.upload) {
        event.preventDefault();
        window.patchbay.upload(event.target);
    } else if (event.target.dataset.busy) {
        window.patchbay.busy(event.target);
    }
});

// The chooser with a search box names its box by what is chosen, which is nothing at first, and tells of its choice by
// the older library alone. It is drawn after the page.
document.addEventListener("DOMContentLoaded", () => {
    const name = () => {
        document.querySelectorAll("select.select2-hidden-accessible:not([data-named])").forEach((select) => {
            const label = select.labels?.[0];
            const box = select.nextElementSibling?.querySelector(".select2-selection");
            const shown = box?.querySelector(".select2-selection__rendered");
            if (label && shown?.id) {
                select.dataset.named = "";
                label.id ||= `${select.id}-label`;
                box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
                shown.setAttribute("aria-labelledby", label.id);
            }
        });
        // The box to type into: beside what is chosen where several are, else in what opens.
        document.querySelectorAll(".select2-search__field:not([aria-labelledby], [aria-label])").forEach((search) => {
            const select = search.closest(".select2-container")?.previousElementSibling;
            const label = select?.labels?.[0];
            if (label) {
                label.id ||= `${select.id}-label`;
                search.setAttribute("aria-labelledby", label.id);
            } else {
                search.setAttribute("aria-label", select?.name?.replaceAll("_", " ") || "Search");
            }
        });
        // Django's two boxes for choosing many: an icon that has a name is a picture.
        document.querySelectorAll(".search-label-icon:not([role])").forEach((icon) => icon.setAttribute("role", "img"));
    };
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
    name();
});
window.addEventListener("load", () => {
    window.django?.jQuery?.(document).on("select2:select select2:clear", (event) => {
        event.target.dispatchEvent(new Event("change", { bubbles: true }));
    });
});

// Keys of every page: ? shows them all. Not while somebody types.
document.addEventListener("keydown", (event) => {
    const types = event.target.closest?.("input, textarea, select, [contenteditable=true]");
    if (event.key === "?" && !types && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const keys = document.getElementById("pb-shortcuts");
        keys && !keys.open && keys.showModal();
    } else if (event.key === "Escape") {
        document.querySelectorAll("details[data-closes][open]").forEach((open) => {
            open.open = false;
            open.querySelector("summary").focus();
        });
    }
});

// What opens over a page goes when somebody clicks beside it.
document.addEventListener("click", (event) => {
    document.querySelectorAll("details[data-closes][open]").forEach((open) => {
        open.contains(event.target) || (open.open = false);
    });
});

// What the theme makes for the mouse alone, such as the menu of the person with *Log out*, takes the keyboard, too. Its
// icons are named by the picture that they show.
document.addEventListener("DOMContentLoaded", () => {
    const NAMES = { close: "Close", dock_to_right: "Menu", filter_list: "Filters" };
    const natural = "a[href], button, input, select, textarea, summary, label, [tabindex]";
    document.querySelectorAll("[x-on\\:click]").forEach((element) => {
        if (element.matches(`${natural}, #changelist-filter-close`) || element.querySelector(natural)) {
            return;
        }
        element.tabIndex = 0;
        element.setAttribute("role", "button");
        const icon = element.matches(".material-symbols-outlined") ? element.textContent.trim() : "";
        icon && element.setAttribute("aria-label", NAMES[icon] || "More");
        element.addEventListener("keydown", (event) => {
            if (event.target === element && (event.key === "Enter" || event.key === " ")) {
                event.preventDefault();
                element.click();
            }
        });
    });
    // Where "Skip to content" leads.
    document.getElementById("content")?.setAttribute("tabindex", "-1");
});

// Lists whose rows change by themselves are asked for again while somebody looks at them. Cells that differ are replaced
// where they stand: what is ticked, the place on the page and open menus stay.
document.addEventListener("DOMContentLoaded", () => {
    const seconds = Number(document.querySelector("[data-live-list]")?.dataset.liveList);
    if (!seconds) {
        return;
    }
    const box = (row) => row.querySelector("input.action-select");
    const key = (row) => box(row)?.value ?? row.querySelector("a[href]")?.getAttribute("href");
    const stays = (cell) => cell.querySelector("input.action-select, [x-data]") || cell.contains(document.activeElement);
    const renew = (row, fresh) => {
        row.className = fresh.className;
        const cells = [fresh, row].map((one) => [...one.querySelectorAll(":scope > tr > :is(td, th)")]);
        cells[1].forEach((cell, place) => {
            const other = cells[0][place];
            if (other && !stays(cell) && cell.innerHTML !== other.innerHTML) {
                cell.replaceWith(document.adoptNode(other));
            }
        });
    };
    const merge = (table, fresh) => {
        const rows = new Map([...table.tBodies].map((row) => [key(row), row]));
        const coming = new Map([...fresh.tBodies].map((row) => [key(row), row]));
        // A row that has moved to another page goes, unless somebody has ticked it.
        rows.forEach((row, name) => !coming.has(name) && !box(row)?.checked && row.remove());
        let before = table.tHead;
        coming.forEach((row, name) => {
            const there = rows.get(name);
            there ? renew(there, row) : document.adoptNode(row);
            const placed = there ?? row;
            if (before.nextElementSibling !== placed) {
                before.after(placed);
            }
            before = placed;
        });
    };
    const refresh = async () => {
        const answer = await fetch(window.location.href, { headers: { "X-Live-List": "1" } });
        // The session has ended, or the list is no longer for this person: what is shown stays.
        if (!answer.ok || answer.redirected) {
            return;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const [table, fresh] = [document, page].map((one) => one.getElementById("result_list"));
        if (table && fresh) {
            merge(table, fresh);
        } else if (fresh) {
            window.location.reload();
        }
    };
    let waiting = 0;
    const next = () => {
        window.clearTimeout(waiting);
        waiting = document.hidden ? 0 : window.setTimeout(() => refresh().catch(() => null).finally(next), seconds * 1000);
    };
    document.addEventListener("visibilitychange", next);
    next();
});
