// The editor's page: top bar, toolbar, title and text of one document.
import type { Editor } from "@tiptap/core";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { answerDirty } from "../lib/dirty";
import { bodyOf, type Doc, documents } from "../lib/documents";
import { guardLeaving, navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { useStore } from "../lib/store";
import { HistoryList } from "../history/list";
import { type History, useHistory } from "../history/use-history";
import { VersionView } from "../history/view";
import { LostPage } from "../pages/lost";
import { confirmDialog, infoDialog } from "../ui/dialog";
import { IconButton } from "../ui/button";
import { Account } from "../ui/header";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { shortcutTable } from "../ui/shortcuts";
import { notify } from "../ui/toast";
import { Mark } from "../ui/umbel";
import { Collab, type CollabState } from "./collab";
import { ReservedBy, ReserveButton } from "./reservation";
import { ConnState, Presence, SaveState } from "./status";
import { Surface } from "./surface";
import { Title } from "./title";
import { editLink, Toolbar } from "./toolbar";
import { type ReservationView, useReservation } from "./use-reservation";

const SETTLE_MS = 1_500;
const ABOUT_EVERY_MS = 20_000;

/** Gives changes that are on their way a moment to arrive before it asks. */
async function mayLeave(collab: Collab): Promise<boolean> {
    const until = Date.now() + SETTLE_MS;
    while (collab.state.get().save === "saving" && Date.now() < until)
        await new Promise((done) => setTimeout(done, 50));
    return !collab.unsaved || confirmDialog({
        title: "Leave with unsaved changes?",
        body: "Some changes have not reached Umbel yet. They are kept in this browser and sent when you open the document again.",
        confirm: "Leave",
    });
}

function useLeaveWarnings(collab: Collab): void {
    useEffect(() => {
        const onUnload = (event: BeforeUnloadEvent) => {
            if (collab.unsaved)
                event.preventDefault();
        };
        addEventListener("beforeunload", onUnload);
        const stops = [guardLeaving(() => mayLeave(collab)), answerDirty(() => collab.unsaved)];
        return () => {
            removeEventListener("beforeunload", onUnload);
            stops.forEach((stop) => stop());
        };
    }, [collab]);
}

/** The REST side of the document. Asked again at times, and when somebody in the document says that the title is new. */
function useAbout(name: string, renamed: number) {
    const [about, setAbout] = useState<Doc | null>(null);
    const [problem, setProblem] = useState<ApiError | null>(null);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
        const timer = setInterval(() => document.visibilityState === "visible" && setTurn((n) => n + 1), ABOUT_EVERY_MS);
        return () => clearInterval(timer);
    }, []);
    useEffect(() => {
        const control = new AbortController();
        documents.get(name, control.signal).then(setAbout, (error: unknown) => {
            if (error instanceof ApiError && error.status !== 401)
                setProblem(error);
        });
        return () => control.abort();
    }, [name, renamed, turn]);
    return { about, problem, setTitle: (title: string) => setAbout((old) => old && { ...old, title }) };
}

function useEditorKeys(editor: Editor | null): void {
    useEffect(() => {
        const onKey = (event: KeyboardEvent) => {
            const mod = event.ctrlKey || event.metaKey;
            if (event.altKey && event.key === "F10")
                document.querySelector<HTMLElement>("#toolbar [tabindex='0']")?.focus();
            else if (mod && event.key === "/")
                void infoDialog({ title: "Keyboard shortcuts", body: shortcutTable() });
            else if (mod && event.key === "k" && editor?.isFocused && editor.isEditable)
                void editLink(editor);
            else
                return;
            event.preventDefault();
        };
        addEventListener("keydown", onKey);
        return () => removeEventListener("keydown", onKey);
    }, [editor]);
}

/** Whether the large title has scrolled under the bar, so that the bar shows it. */
function useScrolledPast(line: { current: HTMLElement | null }, ready: boolean): boolean {
    const [past, setPast] = useState(false);
    useEffect(() => {
        if (!line.current)
            return;
        const observer = new IntersectionObserver(([entry]) => setPast(!entry!.isIntersecting), { rootMargin: "-104px 0px 0px 0px" });
        observer.observe(line.current);
        return () => observer.disconnect();
    }, [ready]);
    return past;
}

/** Where one came from: the list, or the component whose text this is. */
function backOf(name: string): { href: string; text: string } {
    const id = bodyOf(name);
    return id ? { href: paths.component("DOCUMENT", id), text: "Its page in the library" } : { href: paths.list, text: "All documents" };
}

interface TopBarProps {
    name: string;
    state: CollabState;
    session: Session;
    title: string;
    titleBusy: boolean;
    history: History;
    reservation: ReservationView;
}

function TopBar({ name, state, session, title, titleBusy, history, reservation }: TopBarProps) {
    const back = backOf(name);
    return (
        <header class="top editor-top">
            <Link class="back" href={back.href} aria-label={back.text} title={back.text} data-testid="back">
                <Icon name="back" /><Mark />
            </Link>
            <span class="top-title" aria-hidden="true">{title}</span>
            <span class="states">
                {state.readonly && <span class="badge" data-testid="readonly"><Icon name="lock" /> Read only</span>}
                <SaveState state={state} titleBusy={titleBusy} />
                <ConnState state={state} />
            </span>
            <Presence people={state.people} />
            {state.opened && <ReserveButton view={reservation} readonly={state.readonly} />}
            <IconButton
                icon="history"
                label="History"
                data-testid="history-open"
                aria-expanded={history.open}
                aria-controls="history"
                onClick={() => history.setOpen(!history.open)}
            />
            <Account session={session} />
        </header>
    );
}

function DocSkeleton() {
    return (
        <div class="doc-skeleton" aria-hidden="true">
            <span class="bone" /><span class="bone" /><span class="bone" /><span class="bone" />
        </div>
    );
}

export function EditorPage({ name, session }: { name: string; session: Session }) {
    const collab = useMemo(() => new Collab(name, session), [name]);
    const state = useStore(collab.state);
    const { about, problem, setTitle } = useAbout(name, state.renamed);
    const [editor, setEditor] = useState<Editor | null>(null);
    const [titleBusy, setTitleBusy] = useState(false);
    const [foreign, setForeign] = useState(false);
    const fresh = useMemo(() => location.hash === "#new", []);
    const titleLine = useRef<HTMLDivElement>(null);
    const past = useScrolledPast(titleLine, about !== null);
    const history = useHistory(name);
    const reservation = useReservation(name, state);
    const writable = !state.readonly && !foreign;

    useEffect(() => () => collab.destroy(), [collab]);
    useLeaveWarnings(collab);
    useEditorKeys(editor);
    useEffect(() => {
        if (fresh)
            window.history.replaceState(null, "", location.pathname);
    }, []);
    useEffect(() => {
        if (editor && !fresh && matchMedia("(pointer: fine)").matches && document.activeElement === document.body)
            editor.commands.focus("start", { scrollIntoView: false });
    }, [editor]);
    useEffect(() => {
        if (history.chosen)
            scrollTo(0, 0);
    }, [history.chosen?.seq]);
    useEffect(() => {
        document.title = `${about?.title ?? "Document"} – Umbel`;
    }, [about?.title]);
    useEffect(() => {
        if (state.end !== "deleted" || problem)
            return;
        notify("This document has been deleted.");
        void navigate(paths.list, { replace: true, force: true });
    }, [state.end]);

    const closeHistory = () => {
        history.setOpen(false);
        document.querySelector<HTMLElement>("[data-testid=history-open]")?.focus();
    };
    if (problem?.status === 404)
        return <LostPage title="This document does not exist" text="It may have been deleted, or the address is wrong." />;
    if (problem || state.end === "denied")
        return <LostPage title="You cannot open this document" text="You may lack the right to read it. Ask the person who sent you here." />;
    return (
        <div class="page" data-history={history.open ? (history.chosen ? "version" : "list") : undefined}>
            <div class="editor-bars">
                <TopBar name={name} state={state} session={session} title={past ? about?.title ?? "" : ""} titleBusy={titleBusy} history={history} reservation={reservation} />
                {editor && writable && !history.chosen && <Toolbar editor={editor} />}
            </div>
            {history.open && (
                <HistoryList
                    list={history.page?.results ?? null}
                    more={history.page?.more ?? false}
                    chosen={history.chosen?.seq ?? null}
                    problem={history.problem}
                    readonly={!writable}
                    onChoose={history.choose}
                    onKeep={() => void history.keep()}
                    onMore={history.more}
                    onClose={closeHistory}
                />
            )}
            {history.chosen && (
                <div class="sheet">
                    <VersionView
                        name={name}
                        version={history.chosen}
                        mode={history.mode}
                        readonly={!writable}
                        onMode={history.setMode}
                        onRename={() => void history.rename()}
                        onRestore={() => void history.restore()}
                        onList={() => history.choose(null)}
                        onBack={closeHistory}
                    />
                </div>
            )}
            <main id="content" class="sheet" tabIndex={-1} hidden={history.chosen !== null}>
                {foreign && (
                    <p class="problem" role="alert">
                        <Icon name="warn" /> Parts of this document come from another application. It is shown for reading only.
                    </p>
                )}
                <ReservedBy view={reservation} />
                <div ref={titleLine}>
                    {about && (
                        <Title
                            name={name}
                            title={about.title}
                            select={fresh}
                            readonly={state.readonly}
                            onBusy={setTitleBusy}
                            onStored={(title) => {
                                setTitle(title);
                                collab.announceRename();
                            }}
                            onEnter={() => editor?.commands.focus("start")}
                        />
                    )}
                </div>
                {state.opened
                    ? <Surface collab={collab} editable={!state.readonly && !foreign} onEditor={setEditor} onForeign={() => setForeign(true)} />
                    : <DocSkeleton />}
            </main>
        </div>
    );
}
