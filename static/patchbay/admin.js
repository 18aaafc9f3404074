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
        const tell = () => {
            said.lastChild.textContent = `${form.dataset.busy} ${Math.round((Date.now() - began) / 1000)} s`;
        };
        tell();
        window.setInterval(tell, 1000);
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
    if (event.target.dataset.busy) {
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
    };
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
    name();
});
window.addEventListener("load", () => {
    window.django?.jQuery?.(document).on("select2:select select2:clear", (event) => {
        event.target.dispatchEvent(new Event("change", { bubbles: true }));
    });
});
