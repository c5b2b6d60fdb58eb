// The list of documents: search, create, rename, delete, open. Kept fresh by asking again while it is visible.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { type Doc, documents, type DocPage, TITLE_MOST, UNTITLED } from "../lib/documents";
import { loadEditor } from "../lib/editor-bundle";
import { navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { ago, exactly } from "../lib/time";
import { IconButton } from "../ui/button";
import { confirmDialog, infoDialog, promptDialog } from "../ui/dialog";
import { Account, Sections } from "../ui/header";
import { Icon } from "../ui/icons";
import { useKeptFocus } from "../ui/kept-focus";
import { Link } from "../ui/link";
import { shortcutTable, useKeys } from "../ui/shortcuts";
import { notify, notifyError } from "../ui/toast";
import { Mark, Umbel } from "../ui/umbel";

const SEARCH_DELAY_MS = 250;
const REFRESH_MS = 10_000;

interface Listing {
    page: DocPage | null; /* null: nothing has come yet */
    problem: string;
    search: string; /* what the page answers */
    refresh: () => void;
    more: () => void;
    change: (edit: (docs: Doc[]) => Doc[]) => void;
}

/** Fetches the list for SEARCH now, then again and again while the page is visible. */
function useListing(search: string): Listing {
    const [state, setState] = useState<{ page: DocPage | null; problem: string; search: string }>(
        { page: null, problem: "", search: "" });
    const [pages, setPages] = useState(1);
    const [turn, setTurn] = useState(0);
    const refresh = useCallback(() => setTurn((n) => n + 1), []);

    useEffect(() => setPages(1), [search]);

    useEffect(() => {
        const control = new AbortController();
        let timer: ReturnType<typeof setTimeout>;
        const ask = async () => {
            try {
                const page = await documents.list(search, pages, control.signal);
                setState({ page, problem: "", search });
            } catch (error) {
                if (control.signal.aborted)
                    return;
                if (!(error instanceof ApiError && error.status === 401))
                    setState((old) => ({ ...old, problem: error instanceof ApiError ? error.message : "The list could not be read." }));
            }
            timer = setTimeout(whenVisible, REFRESH_MS);
        };
        const whenVisible = () => {
            if (document.visibilityState === "visible")
                void ask();
        };
        const onVisible = () => {
            clearTimeout(timer);
            whenVisible();
        };
        void ask();
        document.addEventListener("visibilitychange", onVisible);
        return () => {
            control.abort();
            clearTimeout(timer);
            document.removeEventListener("visibilitychange", onVisible);
        };
    }, [search, pages, turn]);

    return {
        ...state,
        refresh,
        more: () => setPages((n) => n + 1),
        change: (edit) => setState((old) => old.page
            ? { ...old, page: { ...old.page, results: edit(old.page.results) } }
            : old),
    };
}

function failed(what: string): (error: unknown) => void {
    return (error) => notifyError(error instanceof ApiError ? `${what}: ${error.message}` : `${what}.`);
}

async function create(): Promise<void> {
    const doc = await documents.create(UNTITLED);
    await navigate(`${paths.doc(doc.name)}#new`);
}

async function rename(doc: Doc, list: Listing): Promise<void> {
    const title = await promptDialog({
        title: "Rename document",
        confirm: "Rename",
        input: { label: "Title", value: doc.title, max: TITLE_MOST },
    });
    if (title === null || title === doc.title)
        return;
    await documents.rename(doc.name, title);
    list.change((docs) => docs.map((other) => (other.name === doc.name ? { ...other, title } : other)));
    list.refresh();
}

async function remove(doc: Doc, list: Listing): Promise<void> {
    const sure = await confirmDialog({
        title: "Delete document?",
        body: (
            <>
                <p><strong>{doc.title}</strong> will be gone for everybody. This cannot be undone.</p>
                {doc.connections > 0 && <p>It is open {times(doc.connections)} right now.</p>}
            </>
        ),
        confirm: "Delete",
        danger: true,
    });
    if (!sure)
        return;
    await documents.remove(doc.name);
    list.change((docs) => docs.filter((other) => other.name !== doc.name));
    notify(`“${doc.title}” deleted`);
    list.refresh();
    document.getElementById("content")?.focus();
}

const times = (n: number) => (n === 1 ? "once" : `${n} times`);

/** Moves between the rows' links; keeps the browser's own meaning of all other keys. */
function onRowKey(event: KeyboardEvent, doc: Doc, list: Listing): void {
    const links = [...document.querySelectorAll<HTMLElement>("[data-testid=doc-open]")];
    const at = links.indexOf(event.target as HTMLElement);
    const acts: Record<string, () => void> = {
        ArrowDown: () => links[at + 1]?.focus(),
        ArrowUp: () => (at > 0 ? links[at - 1]!.focus() : document.getElementById("search")?.focus()),
        F2: () => void rename(doc, list).catch(failed("Not renamed")),
        Delete: () => void remove(doc, list).catch(failed("Not deleted")),
    };
    const act = at >= 0 && !event.ctrlKey && !event.altKey && !event.metaKey ? acts[event.key] : undefined;
    if (act) {
        event.preventDefault();
        act();
    }
}

function Row({ doc, list }: { doc: Doc; list: Listing }) {
    return (
        <li class="doc-row" data-testid="doc-row" data-name={doc.name} onKeyDown={(event) => onRowKey(event, doc, list)}>
            <span class="doc-icon"><Icon name="page" /></span>
            <Link
                class="doc-link"
                href={paths.doc(doc.name)}
                data-testid="doc-open"
                onPointerEnter={() => void loadEditor().catch(() => {})}
            >
                <span class="doc-title">{doc.title || UNTITLED}</span>
                <span class="doc-about">
                    <span title={exactly(doc.updatedAt)}>{ago(doc.updatedAt)}</span>
                    {doc.updatedBy && <span> by {doc.updatedBy}</span>}
                </span>
            </Link>
            {doc.connections > 0 && (
                <span class="live" title={`Open ${times(doc.connections)} right now`}>
                    <span class="live-dot" aria-hidden="true" />
                    <span class="visually-hidden">Open now: </span>{doc.connections}
                </span>
            )}
            <span class="doc-tools">
                <IconButton
                    icon="pencil"
                    label={`Rename ${doc.title}`}
                    data-testid="doc-rename"
                    onClick={() => void rename(doc, list).catch(failed("Not renamed"))}
                />
                <IconButton
                    icon="trash"
                    label={`Delete ${doc.title}`}
                    data-testid="doc-delete"
                    onClick={() => void remove(doc, list).catch(failed("Not deleted"))}
                />
            </span>
        </li>
    );
}

function Skeleton() {
    return (
        <ul class="doc-list" aria-hidden="true" data-testid="doc-skeleton">
            {[62, 44, 71, 38, 55].map((width) => (
                <li key={width} class="doc-row skeleton">
                    <span class="bone bone-icon" />
                    <svg class="bone-lines" viewBox="0 0 100 30" preserveAspectRatio="none">
                        <rect class="bone" width={width} height="12" rx="1.500" />
                        <rect class="bone" y="20" width={width / 2} height="8" rx="1.500" />
                    </svg>
                </li>
            ))}
        </ul>
    );
}

function Nothing({ search, onNew }: { search: string; onNew: () => void }) {
    if (search)
        return (
            <div class="empty" data-testid="doc-none">
                <h2>No document matches “{search}”</h2>
                <p>Try fewer or other words.</p>
            </div>
        );
    return (
        <div class="empty" data-testid="doc-empty">
            <Umbel />
            <h2>A fresh page is waiting</h2>
            <p>Documents that you or your colleagues create appear here.</p>
            <button type="button" class="button primary" onClick={onNew}><Icon name="plus" /> Create the first one</button>
        </div>
    );
}

function Content({ list, onNew }: { list: Listing; onNew: () => void }) {
    if (!list.page && list.problem)
        return (
            <div class="empty" role="alert" data-testid="doc-error">
                <h2>The list could not be read</h2>
                <p>{list.problem}</p>
                <button type="button" class="button" onClick={list.refresh}>Try again</button>
            </div>
        );
    if (!list.page)
        return <Skeleton />;
    if (list.page.results.length === 0)
        return <Nothing search={list.search} onNew={onNew} />;
    return (
        <>
            <ul class="doc-list" aria-label="Documents">
                {list.page.results.map((doc) => <Row key={doc.name} doc={doc} list={list} />)}
            </ul>
            {list.page.after && (
                <button type="button" class="button more" data-testid="doc-more" onClick={list.more}>
                    Show more ({list.page.found - list.page.results.length} left)
                </button>
            )}
        </>
    );
}

function countText(list: Listing): string {
    if (!list.page)
        return "";
    const n = list.page.found;
    return `${n} ${n === 1 ? "document" : "documents"}${list.search ? " found" : ""}`;
}

export function ListPage({ session }: { session: Session }) {
    const [typed, setTyped] = useState("");
    const [search, setSearch] = useState("");
    const [creating, setCreating] = useState(false);
    const list = useListing(search);
    const field = useRef<HTMLInputElement>(null);

    useKeptFocus();
    useEffect(() => {
        document.title = "Documents – Umbel";
        if (document.activeElement === document.body)
            document.getElementById("content")?.focus({ preventScroll: true });
    }, []);
    useEffect(() => {
        const timer = setTimeout(() => setSearch(typed.trim()), SEARCH_DELAY_MS);
        return () => clearTimeout(timer);
    }, [typed]);

    const onNew = () => {
        if (creating)
            return;
        setCreating(true);
        create().catch(failed("Not created")).finally(() => setCreating(false));
    };
    useKeys({
        "/": () => field.current?.focus(),
        "n": onNew,
        "?": () => void infoDialog({ title: "Keyboard shortcuts", body: shortcutTable() }),
        "ArrowDown": () => document.querySelector<HTMLElement>("[data-testid=doc-open]")?.focus(),
    });
    const onSearchKey = (event: KeyboardEvent) => {
        if (event.key === "Escape")
            setTyped("");
        if (event.key === "ArrowDown" || event.key === "Enter") {
            event.preventDefault();
            document.querySelector<HTMLElement>("[data-testid=doc-open]")?.focus();
        }
    };
    return (
        <div class="page">
            <header class="top">
                <Link class="wordmark" href={paths.list}><Mark /> Umbel</Link>
                <Sections at="documents" />
                <Account session={session} />
            </header>
            <main id="content" class="list" tabIndex={-1}>
                <div class="list-head">
                    <h1>Documents</h1>
                    <p class="count" role="status">{countText(list)}</p>
                    <button type="button" class="button primary" data-testid="doc-new" disabled={creating} onClick={onNew}>
                        <Icon name="plus" /> {creating ? "Creating…" : <span>New<span class="wide-only"> document</span></span>}
                    </button>
                </div>
                <div class="search" role="search">
                    <Icon name="search" />
                    <input
                        id="search"
                        ref={field}
                        type="search"
                        placeholder="Search titles"
                        aria-label="Search documents"
                        autocomplete="off"
                        value={typed}
                        data-testid="doc-search"
                        onInput={(event) => setTyped(event.currentTarget.value)}
                        onKeyDown={onSearchKey}
                    />
                    <kbd aria-hidden="true">/</kbd>
                </div>
                {list.page && list.problem && <p class="problem" role="alert"><Icon name="warn" /> {list.problem}</p>}
                <Content list={list} onNew={onNew} />
            </main>
        </div>
    );
}
