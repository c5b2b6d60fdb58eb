// Keyboard shortcuts: the table that people see, and the hook that a page uses for its own keys.
import { useEffect } from "preact/hooks";
import { dialogOpen } from "./dialog";

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

const GROUPS: { title: string; rows: [keys: string[], what: string][] }[] = [
    {
        title: "List",
        rows: [
            [["/"], "Search"],
            [["N"], "New document"],
            [["↑", "↓"], "Previous, next document"],
            [["Enter"], "Open"],
            [["F2"], "Rename"],
            [["Delete"], "Delete"],
        ],
    },
    {
        title: "Editor",
        rows: [
            [[MOD, "B"], "Bold"],
            [[MOD, "I"], "Italic"],
            [[MOD, "K"], "Link"],
            [[MOD, "Alt", "1"], "Heading 1 (2, 3; 0 for text)"],
            [[MOD, "Shift", "8"], "List (7 for a numbered one)"],
            [[MOD, "Z"], "Undo"],
            [["Alt", "F10"], "To the toolbar; Escape goes back"],
            [[MOD, "/"], "This help"],
        ],
    },
];

export function shortcutTable() {
    return (
        <div class="shortcuts">
            {GROUPS.map((group) => (
                <section key={group.title}>
                    <h3>{group.title}</h3>
                    <dl>
                        {group.rows.map(([keys, what]) => (
                            <div key={what}>
                                <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                                <dd>{what}</dd>
                            </div>
                        ))}
                    </dl>
                </section>
            ))}
        </div>
    );
}

/** Single keys, off while a dialog is open or somebody types. */
export function useKeys(keys: Record<string, () => void>): void {
    useEffect(() => {
        const onKey = (event: KeyboardEvent) => {
            const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
            const action = keys[event.key];
            if (!action || typing || dialogOpen() || event.ctrlKey || event.metaKey || event.altKey)
                return;
            event.preventDefault();
            action();
        };
        addEventListener("keydown", onKey);
        return () => removeEventListener("keydown", onKey);
    });
}
