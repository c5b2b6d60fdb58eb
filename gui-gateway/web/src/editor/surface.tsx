// The writing surface: Tiptap on the document of a Collab, with the carets of the others.
import { Editor } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { CollaborationCaret } from "@tiptap/extension-collaboration-caret";
import { Placeholder } from "@tiptap/extensions";
import { StarterKit } from "@tiptap/starter-kit";
import { useEffect, useRef } from "preact/hooks";
import type { Collab } from "./collab";

const NAME_MOST = 40;
const CLEAR = { top: 130, bottom: 72, left: 0, right: 0 }; /* the bars above, some air below the line being written */

/** Styles go through the object model, never through an attribute: the page's policy forbids inline styles. */
function caret(user: Record<string, unknown>): HTMLElement {
    const line = document.createElement("span");
    line.className = "caret";
    line.style.setProperty("--person", String(user.color));
    const label = document.createElement("span");
    label.className = "caret-label";
    label.textContent = String(user.name ?? "").slice(0, NAME_MOST);
    line.append(label);
    return line;
}

const selection = (user: Record<string, unknown>) => ({
    nodeName: "span",
    class: "caret-selection",
    style: `--person: ${String(user.color)}`,
});

/** What a document may hold. A trailing paragraph would be written by readers too; the history is Yjs's own. */
export const documentKit = (openLinks: boolean) => StarterKit.configure({
    undoRedo: false,
    trailingNode: false,
    heading: { levels: [1, 2, 3] },
    link: { openOnClick: openLinks, defaultProtocol: "https" },
});

function create(element: HTMLElement, collab: Collab, onForeign: () => void): Editor {
    return new Editor({
        element,
        injectCSS: false,
        enableContentCheck: true,
        /* content of another application that this schema does not know: show it, but never write over it */
        onContentError: ({ disableCollaboration, editor }) => {
            disableCollaboration();
            editor.setEditable(false, false);
            onForeign();
        },
        extensions: [
            documentKit(false),
            Placeholder.configure({ placeholder: "Write something…" }),
            Collaboration.configure({ document: collab.doc, field: "default", provider: collab.provider }),
            CollaborationCaret.configure({
                provider: collab.provider,
                user: collab.me,
                render: caret,
                selectionRender: selection,
            }),
        ],
        editorProps: {
            scrollThreshold: CLEAR,
            scrollMargin: CLEAR,
            attributes: {
                id: "document",
                class: "prose",
                role: "textbox",
                "aria-multiline": "true",
                "aria-label": "Document text",
                "data-testid": "editor",
            },
        },
    });
}

interface Props {
    collab: Collab;
    editable: boolean;
    onEditor: (editor: Editor | null) => void;
    onForeign: () => void;
}

export function Surface({ collab, editable, onEditor, onForeign }: Props) {
    const place = useRef<HTMLDivElement>(null);
    const mine = useRef<Editor | null>(null);

    useEffect(() => {
        const editor = create(place.current!, collab, onForeign);
        mine.current = editor;
        onEditor(editor);
        return () => {
            onEditor(null);
            editor.destroy();
        };
    }, [collab]);

    useEffect(() => {
        mine.current?.setEditable(editable, false);
    }, [editable]);

    return <div ref={place} class="surface" />;
}
