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

    function mark(editor, marks) {
        const show = () => editor.getSession().setAnnotations(marks);
        // A change of mode or text clears them.
        editor.getSession().once("tokenizerUpdate", show);
        show();
    }

    function annotate(editor, textarea) {
        const marks = JSON.parse(textarea.dataset.annotations || "[]");
        mark(editor, marks);
        const first = marks.find((each) => each.type === "error");
        if (first) {
            editor.gotoLine(first.row + 1, first.column, false);
        }
    }

    // A line of the text that is edited, not of a file that was made from it.
    function leadHere(editor) {
        document.addEventListener("click", (event) => {
            const link = event.target.closest("a[data-line]");
            if (link && !link.closest("[data-made]")) {
                event.preventDefault();
                editor.container.scrollIntoView({ block: "center" });
                editor.gotoLine(Number(link.dataset.line), Number(link.dataset.column || 1) - 1, false);
                editor.focus();
            }
        });
    }

    // What looks at the form as it is typed hears of the editor's text as of any other box.
    function tellOf(editor, textarea) {
        editor.getSession().on("change", () => textarea.dispatchEvent(new Event("input", { bubbles: true })));
        document.addEventListener("htmx:afterSwap", () => {
            const marks = document.getElementById("editor-marks");
            if (marks) {
                mark(editor, JSON.parse(marks.textContent));
            }
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
                // It may be out of sight at first.
                new ResizeObserver(() => widget.editor.resize()).observe(widget);
                annotate(widget.editor, widget.nextElementSibling);
                tellOf(widget.editor, widget.nextElementSibling);
                leadHere(widget.editor);
            }
        });
    });
})();
