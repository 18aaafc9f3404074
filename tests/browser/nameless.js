// Boxes without a name for those who hear the page.
() =>
    Array.from(document.querySelectorAll("input:not([type=hidden], [type=submit], [type=button]), select, textarea"))
        // Select2 puts boxes of its own in the place of some, with names of their own.
        .filter((box) => !box.closest(".select2, .select2-hidden-accessible, .select2-container"))
        .filter((box) => box.checkVisibility() && !box.labels?.length && !box.title)
        .filter((box) => !box.ariaLabel && !box.hasAttribute("aria-labelledby"))
        .map((box) => box.outerHTML.slice(0, 120))
