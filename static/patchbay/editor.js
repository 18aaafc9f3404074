// The XML editor: the theme follows the page's, lines with findings are marked, and line numbers on the page lead here.
// A page may have several, each for a box of its form; rows that are added bring one along.
(function () {
    "use strict";
    const THEMES = { light: "ace/theme/chrome", dark: "ace/theme/one_dark" };
    const editors = () => Array.from(document.querySelectorAll(".django-ace-widget")).filter((each) => each.editor);
    const boxOf = (widget) => widget.nextElementSibling;

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
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-line]");
        if (!link || link.closest("[data-made]")) {
            return;
        }
        const wanted = link.dataset.box;
        const editor = editors().find((each) => !wanted || boxOf(each).name === wanted)?.editor;
        if (editor) {
            event.preventDefault();
            editor.container.scrollIntoView({ block: "center" });
            editor.gotoLine(Number(link.dataset.line), Number(link.dataset.column || 1) - 1, false);
            editor.focus();
        }
    });

    // Marks that name no box are those of the only editor.
    document.addEventListener("htmx:afterSwap", () => {
        const marks = JSON.parse(document.getElementById("editor-marks")?.textContent || "null");
        if (marks) {
            editors().forEach((widget) => {
                mark(widget.editor, marks.filter((each) => !each.box || each.box === boxOf(widget).name));
            });
        }
    });

    function furnish(widget) {
        const { editor } = widget;
        const textarea = boxOf(widget);
        widget.dataset.furnished = "";
        editor.setOptions({
            fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
            // Tab goes past the editor until Enter opens it, and Esc leaves it again.
            enableKeyboardAccessibility: true,
            textInputAriaLabel: textarea.getAttribute("aria-label") || "",
        });
        follow(editor);
        // It may be out of sight at first.
        new ResizeObserver(() => editor.resize()).observe(widget);
        annotate(editor, textarea);
        // What looks at the form as it is typed hears of the editor's text as of any other box.
        editor.getSession().on("change", () => textarea.dispatchEvent(new Event("input", { bubbles: true })));
    }

    // What the widget itself does once, when a page is loaded, for a row that has been added since.
    function make(widget) {
        const { tabsize, fontsize, minlines, maxlines } = widget.dataset;
        const textarea = boxOf(widget);
        const editor = (widget.editor = window.ace.edit(widget.firstElementChild, {
            mode: "ace/mode/xml", value: textarea.value, useWorker: false, showPrintMargin: false,
            tabSize: Number(tabsize), fontSize: fontsize, minLines: Number(minlines), maxLines: Number(maxlines),
        }));
        editor.getSession().on("change", () => (textarea.value = editor.getValue()));
        textarea.style.display = "none";
        widget.classList.remove("loading");
    }

    function furnishAll() {
        document.querySelectorAll(".django-ace-widget.loading").forEach(make);
        editors().filter((each) => !("furnished" in each.dataset)).forEach(furnish);
    }
    window.addEventListener("load", () => {
        furnishAll();
        document.addEventListener("change", furnishAll);
    });
})();
