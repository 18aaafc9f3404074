// Boxes without a name for those who hear the page.
() =>
    Array.from(document.querySelectorAll("input:not([type=hidden], [type=submit], [type=button]), select, textarea"))
        .filter((box) => box.checkVisibility() && !box.labels?.length && !box.title)
        .filter((box) => !box.ariaLabel && !box.hasAttribute("aria-labelledby"))
        .map((box) => box.outerHTML.slice(0, 120))
