// Boxes without a name: a label, a title, or words of their own on a button.
() =>
    Array.from(document.querySelectorAll("input:not([type=hidden]), select, textarea"))
        .filter((box) => box.checkVisibility() && !box.labels?.length && !box.title)
        .filter((box) => !box.ariaLabel && !box.hasAttribute("aria-labelledby") && !box.value.match(/^[A-Z]/))
        .map((box) => box.outerHTML.slice(0, 120))
