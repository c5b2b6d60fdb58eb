// The toolbar: one table of tools. One tab stop, arrow keys move inside (the ARIA toolbar pattern).
import type { Editor } from "@tiptap/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { promptDialog } from "../ui/dialog";
import { Icon, type IconName } from "../ui/icons";

interface Tool {
    id: string;
    icon: IconName;
    label: string;
    run: (editor: Editor) => void;
    active?: (editor: Editor) => boolean;
    can?: (editor: Editor) => boolean;
}

const LINK_MOST = 2000;
const chain = (editor: Editor) => editor.chain().focus();

export async function editLink(editor: Editor): Promise<void> {
    const now = String(editor.getAttributes("link").href ?? "");
    const href = await promptDialog({
        title: now ? "Edit link" : "Add link",
        confirm: "Apply",
        input: { label: "Address (empty removes the link)", value: now, max: LINK_MOST, type: "text", optional: true },
    });
    if (href === null)
        return void chain(editor).run();
    const range = chain(editor).extendMarkRange("link");
    if (href === "")
        return void range.unsetLink().run();
    const full = /^[a-z][a-z0-9+.-]*:|^\//i.test(href) ? href : `https://${href}`;
    if (editor.state.selection.empty && !now)
        return void chain(editor).insertContent({ type: "text", text: href, marks: [{ type: "link", attrs: { href: full } }] }).run();
    range.setLink({ href: full }).run();
}

const GROUPS: Tool[][] = [
    [
        { id: "undo", icon: "undo", label: "Undo", run: (e) => chain(e).undo().run(), can: (e) => e.can().undo() },
        { id: "redo", icon: "redo", label: "Redo", run: (e) => chain(e).redo().run(), can: (e) => e.can().redo() },
    ],
    [
        { id: "bold", icon: "bold", label: "Bold", run: (e) => chain(e).toggleBold().run(), active: (e) => e.isActive("bold") },
        { id: "italic", icon: "italic", label: "Italic", run: (e) => chain(e).toggleItalic().run(), active: (e) => e.isActive("italic") },
        { id: "underline", icon: "underline", label: "Underline", run: (e) => chain(e).toggleUnderline().run(), active: (e) => e.isActive("underline") },
        { id: "strike", icon: "strike", label: "Strike", run: (e) => chain(e).toggleStrike().run(), active: (e) => e.isActive("strike") },
        { id: "code", icon: "code", label: "Code", run: (e) => chain(e).toggleCode().run(), active: (e) => e.isActive("code") },
        { id: "link", icon: "link", label: "Link", run: (e) => void editLink(e), active: (e) => e.isActive("link") },
    ],
    [
        { id: "bullets", icon: "bullets", label: "List", run: (e) => chain(e).toggleBulletList().run(), active: (e) => e.isActive("bulletList") },
        { id: "numbers", icon: "numbers", label: "Numbered list", run: (e) => chain(e).toggleOrderedList().run(), active: (e) => e.isActive("orderedList") },
        { id: "quote", icon: "quote", label: "Quote", run: (e) => chain(e).toggleBlockquote().run(), active: (e) => e.isActive("blockquote") },
        { id: "codeblock", icon: "codeblock", label: "Code block", run: (e) => chain(e).toggleCodeBlock().run(), active: (e) => e.isActive("codeBlock") },
        { id: "rule", icon: "rule", label: "Line", run: (e) => chain(e).setHorizontalRule().run() },
    ],
];

const LEVELS = [1, 2, 3] as const;

function styleOf(editor: Editor): string {
    return String(LEVELS.find((level) => editor.isActive("heading", { level })) ?? 0);
}

function setStyle(editor: Editor, value: string): void {
    const level = LEVELS.find((n) => String(n) === value);
    if (level)
        chain(editor).setHeading({ level }).run();
    else
        chain(editor).setParagraph().run();
}

/** One letter per tool, so that a keystroke draws the toolbar only when something in it changes. */
function summary(editor: Editor): string {
    const flags = GROUPS.flat().map((tool) => (tool.can && !tool.can(editor) ? "x" : tool.active?.(editor) ? "1" : "0"));
    return styleOf(editor) + flags.join("") + String(editor.isEditable);
}

function onArrow(event: KeyboardEvent, bar: HTMLElement, editor: Editor): void {
    if (event.key === "Escape")
        return void editor.commands.focus();
    const items = [...bar.querySelectorAll<HTMLElement>("button, select")];
    const at = items.indexOf(event.target as HTMLElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || at < 0)
        return;
    event.preventDefault();
    items[(to + items.length) % items.length]!.focus();
}

export function Toolbar({ editor }: { editor: Editor }) {
    const [, draw] = useState("");
    const [stop, setStop] = useState("undo");
    const bar = useRef<HTMLDivElement>(null);

    useEffect(() => {
        const update = () => draw(summary(editor));
        update();
        editor.on("transaction", update);
        editor.on("update", update);
        return () => {
            editor.off("transaction", update);
            editor.off("update", update);
        };
    }, [editor]);

    const onFocus = (event: FocusEvent) => setStop((event.target as HTMLElement).dataset.tool ?? "undo");
    const style = styleOf(editor);
    const tab = (id: string) => (stop === id ? 0 : -1);
    return (
        <div
            ref={bar}
            id="toolbar"
            class="toolbar"
            role="toolbar"
            aria-label="Formatting"
            aria-controls="document"
            onKeyDown={(event) => onArrow(event, bar.current!, editor)}
            onFocusIn={onFocus}
        >
            {GROUPS.map((tools, i) => (
                <div key={i} class="tool-group" role="group">
                    {tools.map((tool) => {
                        const can = !tool.can || tool.can(editor);
                        return (
                            <button
                                key={tool.id}
                                type="button"
                                class="tool"
                                data-tool={tool.id}
                                data-testid={`tool-${tool.id}`}
                                aria-label={tool.label}
                                title={tool.label}
                                aria-pressed={tool.active ? tool.active(editor) : undefined}
                                aria-disabled={!can}
                                tabIndex={tab(tool.id)}
                                onMouseDown={(event) => event.preventDefault()}
                                onClick={() => can && tool.run(editor)}
                            >
                                <Icon name={tool.icon} />
                            </button>
                        );
                    })}
                    {i === 0 && (
                        <select
                            class="tool-style"
                            data-tool="style"
                            data-testid="tool-style"
                            aria-label="Text style"
                            tabIndex={tab("style")}
                            value={style}
                            onChange={(event) => setStyle(editor, event.currentTarget.value)}
                        >
                            <option value="0">Text</option>
                            {LEVELS.map((level) => <option key={level} value={String(level)}>Heading {level}</option>)}
                        </select>
                    )}
                </div>
            ))}
        </div>
    );
}
