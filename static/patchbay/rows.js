// Tables whose rows can be added, taken out and put into another order: by dragging, and by buttons for the keyboard.
// Rows change between the lists of one editor too, as keys between a phone and its expansion modules.
// Without this script the rows have numbers to type, and a few empty rows are there to be filled in.
(function () {
    "use strict";
    let added = 0;
    // The row that is being dragged, and its list.
    let carried = null;
    const all = [];

    // What looks at the form as it is typed (the theme's own library, and htmx) hears of it as of any other change.
    const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));

    class Rows {
        constructor(list) {
            this.list = list;
            this.said = list.parentElement.querySelector("[data-said]");
            this.template = list.parentElement.querySelector("template[data-row]");
            list.addEventListener("click", (event) => this.pressed(event));
            list.addEventListener("change", (event) => this.typed(event));
            ["dragstart", "dragover", "drop", "dragend"].forEach((name) => {
                list.addEventListener(name, (event) => this[name](event));
            });
            // Only the handle drags, so that the text of a box can be selected with the mouse.
            list.addEventListener("pointerdown", (event) => {
                const row = event.target.closest("[data-handle]")?.closest("[data-of-row]");
                this.rows.forEach((each) => (each.draggable = each === row));
            });
            list.parentElement.querySelector("[data-add]")?.addEventListener("click", () => this.add());
            this.rows.filter((row) => row.hasAttribute("data-spare")).forEach((row) => row.remove());
            this.rows.forEach((row) => this.fit(row));
        }

        get rows() {
            return Array.from(this.list.querySelectorAll(":scope > [data-of-row]"));
        }

        // The lists of the same editor, in the order of the page.
        get kin() {
            const editor = this.list.closest("[data-kin]");
            return editor ? all.filter((each) => editor.contains(each.list)) : [this];
        }

        number(row) {
            return row.querySelector("[data-number]");
        }

        // Boxes that mean nothing for what was chosen are out of the way; what they say is kept.
        fit(row) {
            const choice = row.querySelector("[data-chooses]")?.selectedOptions[0];
            if (choice) {
                const takes = (choice.dataset.takes || "").split(" ");
                row.querySelectorAll("[data-for]").forEach((box) => (box.hidden = !takes.includes(box.dataset.for)));
                row.querySelectorAll("[data-target]").forEach((box) => (box.placeholder = choice.dataset.target || ""));
            }
        }

        add() {
            const row = this.template.content.firstElementChild.cloneNode(true);
            added += 1;
            row.querySelectorAll("[name]").forEach((box) => (box.name = box.name.replace("__new__", `n${added}`)));
            const highest = Math.max(0, ...this.rows.map((each) => Number(this.number(each)?.value) || 0));
            if (this.number(row)) {
                this.number(row).value = highest + 1;
            }
            this.list.append(row);
            this.fit(row);
            row.querySelector("select, input:not([type=hidden])").focus();
            changed(this.list);
        }

        pressed(event) {
            const button = event.target.closest("button[data-move], button[data-remove]");
            const row = button?.closest("[data-of-row]");
            if (!row) {
                return;
            }
            if (button.hasAttribute("data-remove")) {
                const next = row.nextElementSibling || row.previousElementSibling;
                row.remove();
                (next?.querySelector("button[data-remove]") || this.list.parentElement.querySelector("[data-add]"))?.focus();
                this.tell("Removed.");
            } else {
                const up = button.dataset.move === "up";
                const beside = up ? row.previousElementSibling : row.nextElementSibling;
                const next = this.kin[this.kin.indexOf(this) + (up ? -1 : 1)];
                if (beside) {
                    this.place(row, beside, up);
                } else if (next) {
                    next.take(row, up ? null : next.rows[0]);
                } else {
                    return;
                }
                button.focus();
            }
            changed(this.list);
        }

        // The numbers stay where they are, and rows change places among them: what is left empty stays empty.
        place(row, beside, before) {
            const numbers = this.rows.map((each) => this.number(each)?.value);
            this.list.insertBefore(row, before ? beside : beside.nextElementSibling);
            this.rows.forEach((each, place) => {
                if (this.number(each)) {
                    this.number(each).value = numbers[place];
                }
            });
            this.tell(`Moved to position ${this.number(row)?.value || this.rows.indexOf(row) + 1}.`);
        }

        // A row of another list, before one of this list or at its end: what stands at its place makes room, up to the
        // next number that is free.
        take(row, beside) {
            const start = this.template.innerHTML.match(/name="([^"]*)__new__/)[1];
            added += 1;
            row.querySelectorAll("[name]").forEach((box) => {
                box.name = `${start}n${added}-${box.name.split("-").slice(2).join("-")}`;
            });
            const highest = Math.max(0, ...this.rows.map((each) => Number(this.number(each).value) || 0));
            let wanted = beside ? Number(this.number(beside).value) || 1 : highest + 1;
            this.list.insertBefore(row, beside || null);
            this.number(row).value = wanted;
            this.rows.slice(this.rows.indexOf(row) + 1).forEach((each) => {
                if (Number(this.number(each).value) === wanted) {
                    wanted += 1;
                    this.number(each).value = wanted;
                }
            });
            this.list.closest("details").open = true;
            this.tell(`Moved to ${this.list.dataset.title}, position ${this.number(row).value}.`);
        }

        typed(event) {
            const row = event.target.closest("[data-of-row]");
            if (row && event.target.matches("[data-chooses]")) {
                this.fit(row);
            }
            if (row && event.target.matches("[data-number]")) {
                const value = (each) => Number(this.number(each).value) || Infinity;
                const sorted = this.rows.sort((one, other) => value(one) - value(other));
                sorted.forEach((each) => this.list.append(each));
                event.target.focus();
            }
        }

        tell(text) {
            if (this.said) {
                this.said.textContent = text;
            }
        }

        dragstart(event) {
            carried = { from: this, row: event.target.closest("[data-of-row]") };
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", "");
            carried.row?.classList.add("pb-dragged");
        }

        dragover(event) {
            const row = event.target.closest("[data-of-row]");
            if (carried && this.kin.includes(carried.from) && (row || carried.from !== this)) {
                event.preventDefault();
                this.kin.forEach((each) => each.unmark());
                row?.classList.toggle("pb-drop", row !== carried.row);
            }
        }

        drop(event) {
            const row = event.target.closest("[data-of-row]");
            if (!carried || !this.kin.includes(carried.from) || row === carried.row) {
                return;
            }
            event.preventDefault();
            if (carried.from !== this) {
                this.take(carried.row, row);
            } else if (row) {
                this.place(carried.row, row, this.rows.indexOf(row) < this.rows.indexOf(carried.row));
            }
            changed(this.list);
        }

        unmark() {
            this.rows.forEach((each) => each.classList.remove("pb-drop"));
        }

        dragend() {
            this.kin.forEach((each) => each.unmark());
            carried?.row?.classList.remove("pb-dragged");
            all.forEach((each) => each.rows.forEach((row) => (row.draggable = false)));
            carried = null;
        }
    }

    // What a model does not show is marked at the row; kinds that it does not know are not offered for other rows.
    function markKeys() {
        const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "[]");
        const faults = read("key-faults");
        const offered = read("key-kinds");
        document.querySelectorAll("[data-rows] [data-fault]").forEach((mark) => {
            const row = mark.closest("[data-of-row]");
            const module = row.querySelector("[data-number]").name.match(/-(\d)\./)[1];
            const place = `${module}.${row.querySelector("[data-number]").value}`;
            const fault = faults.find((each) => each.place === place);
            mark.hidden = !fault;
            mark.textContent = fault?.text || "";
            row.querySelectorAll("[data-chooses] option").forEach((option) => {
                option.hidden = Boolean(offered.length && !offered.includes(option.value) && !option.selected);
            });
        });
    }

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("[data-rows]").forEach((list) => all.push(new Rows(list)));
        // A list that is folded unfolds under what is dragged.
        document.querySelectorAll("[data-kin] > details > summary").forEach((summary) => {
            summary.addEventListener("dragover", () => (summary.parentElement.open = summary.parentElement.open || carried !== null));
        });
    });
    document.addEventListener("htmx:afterSwap", markKeys);
    // A row that the server made is filled in next.
    document.addEventListener("htmx:load", (event) => {
        if (event.detail.elt.matches("[data-of-row]")) {
            event.detail.elt.querySelector("select, input:not([type=hidden])")?.focus();
        }
    });
})();
