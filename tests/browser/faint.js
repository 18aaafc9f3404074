// Texts whose contrast with what is behind them is less than 4.5, or 3 where they are large (WCAG 2.2, 1.4.3).
// Colours are painted to be known in red, green and blue, whatever space they are written in.
() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const read = (colour) => {
        if (!known.has(colour)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            known.set(colour, Array.from(canvas.getImageData(0, 0, 1, 1).data));
        }
        return known.get(colour);
    };
    const over = (front, back) => {
        const a = front[3] / 255;
        return [0, 1, 2].map((i) => front[i] * a + back[i] * (1 - a)).concat(255);
    };
    const behind = (element) => {
        if (element === null) return read(document.documentElement.classList.contains("dark") ? "black" : "white");
        const colour = read(getComputedStyle(element).backgroundColor);
        return colour[3] === 255 ? colour : over(colour, behind(element.parentElement));
    };
    const light = (colour) => {
        const [r, g, b] = colour.map((c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = new Map();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
        const shown = { opacityProperty: true, visibilityProperty: true };
        const passed = element.closest("script, style, .ace_editor, .material-symbols-outlined, .pb-step-ahead, :disabled");
        if (!text || passed || !element.checkVisibility(shown)) continue;
        const style = getComputedStyle(element), size = parseFloat(style.fontSize);
        const ground = behind(element), ink = over(read(style.color), ground);
        const [dark, bright] = [light(ink), light(ground)].sort((a, b) => a - b);
        const ratio = (bright + 0.05) / (dark + 0.05);
        const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
        // Painting rounds to whole steps.
        if (ratio < needed - 0.01) {
            const where = `${element.tagName} ${element.className}`;
            found.set(where, `${ratio.toFixed(2)}: “${text.slice(0, 30)}” in ${where}`);
        }
    }
    for (const box of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
        if (box.value || !box.placeholder.trim() || box.disabled || !box.checkVisibility()) continue;
        const ground = behind(box), ink = over(read(getComputedStyle(box, "::placeholder").color), ground);
        const [dark, bright] = [light(ink), light(ground)].sort((a, b) => a - b);
        const ratio = (bright + 0.05) / (dark + 0.05);
        if (ratio < 4.49) found.set(box, `${ratio.toFixed(2)}: “${box.placeholder}” in an empty ${box.tagName} ${box.id}`);
    }
    return Array.from(found.values());
}
