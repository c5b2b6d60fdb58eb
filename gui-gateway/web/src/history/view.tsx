// One version in place of the text: as it was, or what changed since the one before, or until now.
import { Editor } from "@tiptap/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { documentKit } from "../editor/surface";
import { ApiError } from "../lib/api";
import { exactly } from "../lib/time";
import { type Comparison, type Version, versions } from "../lib/versions";
import { Icon } from "../ui/icons";
import { Changes } from "./changes";
import { nameOf, peopleOf } from "./list";

export type Mode = "text" | "before" | "now";

const MODES: { id: Mode; label: string; long: string }[] = [
    { id: "text", label: "Text", long: "The text as it was" },
    { id: "before", label: "Changes in it", long: "What changed since the version before" },
    { id: "now", label: "Changes since", long: "What has changed from it until now" },
];

type Shown =
    | { is: "waiting" }
    | { is: "problem"; text: string }
    | { is: "text"; html: string }
    | { is: "first" }
    | { is: "changes"; comparison: Comparison };

async function fetchShown(name: string, version: Version, mode: Mode, signal: AbortSignal): Promise<Shown> {
    if (mode === "text")
        return { is: "text", html: await versions.html(name, version.seq, signal) };
    if (mode === "now")
        return { is: "changes", comparison: await versions.compare(name, version.seq, "current", signal) };
    const before = await versions.previous(name, version.seq, signal);
    return before ? { is: "changes", comparison: await versions.compare(name, version.seq, before.seq, signal) } : { is: "first" };
}

/** What was fetched for another version or mode is not shown for a moment even. */
function useShown(name: string, version: Version, mode: Mode): Shown {
    const wanted = `${version.seq} ${mode}`;
    const [have, setHave] = useState<{ of: string; shown: Shown }>({ of: "", shown: { is: "waiting" } });
    useEffect(() => {
        const control = new AbortController();
        const show = (shown: Shown) => !control.signal.aborted && setHave({ of: wanted, shown });
        fetchShown(name, version, mode, control.signal).then(show, (error: unknown) =>
            show({ is: "problem", text: error instanceof ApiError ? error.message : "It cannot be shown." }));
        return () => control.abort();
    }, [name, wanted]);
    return have.of === wanted ? have.shown : { is: "waiting" };
}

/** Drawn by the editor's own schema: looks as it did, and nothing else than text can come of it. */
function Paper({ html }: { html: string }) {
    const place = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const editor = new Editor({
            element: place.current!,
            injectCSS: false,
            editable: false,
            extensions: [documentKit(true)],
            content: html,
            editorProps: { attributes: { class: "prose", "data-testid": "history-text", role: "document", "aria-label": "Text of the version" } },
        });
        return () => editor.destroy();
    }, [html]);
    return <div ref={place} class="surface" />;
}

interface Props {
    name: string;
    version: Version;
    mode: Mode;
    readonly: boolean;
    onMode: (mode: Mode) => void;
    onRename: () => void;
    onRestore: () => void;
    onList: () => void;
    onBack: () => void;
}

export function VersionView({ name, version, mode, readonly, onMode, onRename, onRestore, onList, onBack }: Props) {
    const shown = useShown(name, version, mode);
    const head = useRef<HTMLHeadingElement>(null);

    useEffect(() => head.current?.scrollIntoView?.({ block: "nearest" }), [version.seq]);
    return (
        <article
            class="version"
            data-testid="history-view"
            data-seq={version.seq}
            data-mode={mode}
            data-state={shown.is}
            onKeyDown={(event) => event.key === "Escape" && onBack()}
        >
            <header class="version-head">
                <button type="button" class="button phone-only" data-testid="history-to-list" onClick={onList}>
                    <Icon name="back" /> Versions
                </button>
                <h2 ref={head} data-testid="history-name">{nameOf(version)}</h2>
                <p class="version-about">
                    {[version.label && exactly(version.at), peopleOf(version).join(", "), version.archived && "in the archive"].filter(Boolean).join(" · ")}
                </p>
                <div class="version-bar">
                    <div class="modes" role="group" aria-label="What to show">
                        {MODES.map(({ id, label, long }) => (
                            <button
                                key={id}
                                type="button"
                                class="mode"
                                title={long}
                                aria-pressed={mode === id}
                                data-testid={`history-mode-${id}`}
                                onClick={() => onMode(id)}
                            >
                                {label}
                            </button>
                        ))}
                    </div>
                    <span class="version-acts">
                        {!readonly && <button type="button" class="button" data-testid="history-rename" onClick={onRename}><Icon name="pencil" /> Name</button>}
                        {!readonly && <button type="button" class="button primary" data-testid="history-restore" onClick={onRestore}><Icon name="undo" /> Restore</button>}
                        <button type="button" class="button" data-testid="history-back" title="Back to the document" onClick={onBack}>Back</button>
                    </span>
                </div>
            </header>
            <div class="version-body" aria-live="polite" aria-busy={shown.is === "waiting"}>
                {shown.is === "waiting" && <div class="doc-skeleton" aria-hidden="true"><span class="bone" /><span class="bone" /><span class="bone" /></div>}
                {shown.is === "problem" && <p class="problem" role="alert"><Icon name="warn" /> {shown.text}</p>}
                {shown.is === "first" && <p class="change-none">This is the first version: there is none before it.</p>}
                {shown.is === "text" && <Paper html={shown.html} />}
                {shown.is === "changes" && <Changes comparison={shown.comparison} />}
            </div>
        </article>
    );
}
