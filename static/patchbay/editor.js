// The XML editor: the theme follows the page's, lines with findings are marked, and line numbers on the page lead here.
(function () {
    "use strict";
    const THEMES = { light: "ace/theme/chrome", dark: "ace/theme/one_dark" };

    function follow(editor) {
        const root = document.documentElement;
        const apply = () => editor.setTheme(root.classList.contains("dark") ? THEMES.dark : THEMES.light);
        new MutationObserver(apply).observe(root, { attributes: true, attributeFilter: ["class"] });
        apply();
    }

    function annotate(editor, textarea) {
        const marks = JSON.parse(textarea.dataset.annotations || "[]");
        const show = () => editor.getSession().setAnnotations(marks);
        // A change of mode or text clears them.
        editor.getSession().once("tokenizerUpdate", show);
        show();
        const first = marks.find((mark) => mark.type === "error");
        if (first) {
            editor.gotoLine(first.row + 1, first.column, false);
        }
    }

    function leadHere(editor) {
        document.querySelectorAll("a[data-line]").forEach((link) => {
            link.addEventListener("click", (event) => {
                event.preventDefault();
                editor.container.scrollIntoView({ block: "center" });
                editor.gotoLine(Number(link.dataset.line), 0, false);
                editor.focus();
            });
        });
    }

    window.addEventListener("load", () => {
        document.querySelectorAll(".django-ace-widget").forEach((widget) => {
            if (widget.editor) {
                widget.editor.setOptions({
                    fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
                    // Tab goes past the editor until Enter opens it, and Esc leaves it again.
                    enableKeyboardAccessibility: true,
                });
                follow(widget.editor);
                annotate(widget.editor, widget.nextElementSibling);
                leadHere(widget.editor);
            }
        });
    });
})();
