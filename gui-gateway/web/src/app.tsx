// Which page is shown. The editor is a bundle of its own, fetched when a document is opened.
import { useEffect, useState } from "preact/hooks";
import { type Editor, loadEditor } from "./lib/editor-bundle";
import { navigate, paths, type Route, route } from "./lib/router";
import { type Session, session } from "./lib/session";
import { useStore } from "./lib/store";
import { ComponentPage, NewPage } from "./components/page";
import { LibraryPage } from "./components/library";
import { ListPage } from "./pages/list";
import { LostPage } from "./pages/lost";
import { SignInPage } from "./pages/signin";
import { AwayBanner } from "./ui/banner";
import { Dialogs, dismissDialog } from "./ui/dialog";
import { Toasts } from "./ui/toast";
import { Mark } from "./ui/umbel";

const RETRY_MS = 2_000;

function DocRoute({ name, session }: { name: string; session: Session }) {
    const [editor, setEditor] = useState<{ page: Editor } | null>(null);
    const [tries, setTries] = useState(0);

    useEffect(() => {
        let timer: ReturnType<typeof setTimeout>;
        loadEditor()
            .then((page) => setEditor({ page }))
            .catch(() => (timer = setTimeout(() => setTries(tries + 1), RETRY_MS)));
        return () => clearTimeout(timer);
    }, [tries]);

    return editor ? <editor.page key={name} name={name} session={session} /> : <Splash />;
}

function Splash() {
    return (
        <div class="splash" role="status">
            <Mark />
            <span class="visually-hidden">Loading</span>
        </div>
    );
}

function Page({ at }: { at: Route }) {
    const state = useStore(session);
    const out = state.is === "out";

    useEffect(() => {
        if (out && at.page !== "signin")
            void navigate(paths.signin(location.pathname), { replace: true, force: true });
        if (state.is === "in" && at.page === "signin")
            void navigate(at.next, { replace: true, force: true });
    }, [state.is, at]);

    if (at.page === "signin" && out)
        return <SignInPage expired={state.expired} />;
    if (state.is !== "in" || at.page === "signin")
        return <Splash />;
    if (at.page === "list")
        return <ListPage session={state.session} />;
    if (at.page === "library")
        return <LibraryPage session={state.session} />;
    if (at.page === "component")
        return <ComponentPage key={`${at.category}/${at.id}`} session={state.session} category={at.category} id={at.id} />;
    if (at.page === "new")
        return <NewPage key={at.classId} session={state.session} category={at.category} classId={at.classId} />;
    return at.page === "doc" ? <DocRoute name={at.name} session={state.session} /> : <LostPage />;
}

export function App() {
    const at = useStore(route);

    useEffect(() => {
        dismissDialog();
        if (at.page === "doc")
            loadEditor().catch(() => {});
    }, [at]);

    return (
        <>
            <a class="skip-link" href="#content" onClick={skip}>Skip to content</a>
            <AwayBanner />
            <Page at={at} />
            <Toasts />
            <Dialogs />
        </>
    );
}

/** The address stays as it is: it is a route. */
function skip(event: Event): void {
    event.preventDefault();
    document.getElementById("content")?.focus();
}
