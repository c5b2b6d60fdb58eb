// Which page is shown. Editor, library and administration are bundles of their own, fetched when somebody goes there.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isAdmin } from "./lib/admin";
import { loadAdministration } from "./lib/admin-bundle";
import { loadEditor } from "./lib/editor-bundle";
import { type LibraryRoute, loadLibrary } from "./lib/library-bundle";
import { navigate, paths, type Route, route } from "./lib/router";
import { type Session, session } from "./lib/session";
import { useStore } from "./lib/store";
import { ListPage } from "./pages/list";
import { LostPage, RefusedPage } from "./pages/lost";
import { SignInPage } from "./pages/signin";
import { AwayBanner } from "./ui/banner";
import { Dialogs, dismissDialog } from "./ui/dialog";
import { Toasts } from "./ui/toast";
import { Mark } from "./ui/umbel";

const RETRY_MS = 2_000;

/** A bundle's component once it is here; asks for it until it comes. */
function useBundle<P>(load: () => Promise<ComponentType<P>>): ComponentType<P> | null {
    const [bundle, setBundle] = useState<{ page: ComponentType<P> } | null>(null);
    const [tries, setTries] = useState(0);

    useEffect(() => {
        let timer: ReturnType<typeof setTimeout>;
        load()
            .then((page) => setBundle({ page }))
            .catch(() => (timer = setTimeout(() => setTries(tries + 1), RETRY_MS)));
        return () => clearTimeout(timer);
    }, [tries]);

    return bundle?.page ?? null;
}

function DocRoute({ name, session }: { name: string; session: Session }) {
    const EditorPage = useBundle(loadEditor);
    return EditorPage ? <EditorPage key={name} name={name} session={session} /> : <Splash />;
}

function AdminRoute({ session, part, id }: { session: Session; part: string; id: string | null }) {
    const AdministrationPage = useBundle(loadAdministration);
    return AdministrationPage ? <AdministrationPage session={session} part={part} id={id} /> : <Splash />;
}

function LibraryPages({ session, at }: { session: Session; at: LibraryRoute }) {
    const Pages = useBundle(loadLibrary);
    return Pages ? <Pages session={session} at={at} /> : <Splash />;
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
            void navigate(paths.signin(location.pathname + location.search), { replace: true, force: true });
        if (state.is === "in" && at.page === "signin")
            void navigate(at.next, { replace: true, force: true });
    }, [state.is, at]);

    if (at.page === "signin" && out)
        return <SignInPage expired={state.expired} />;
    if (state.is !== "in" || at.page === "signin")
        return <Splash />;
    if (at.page === "list")
        return <ListPage session={state.session} />;
    if (at.page === "library" || at.page === "component" || at.page === "new")
        return <LibraryPages session={state.session} at={at} />;
    if (at.page === "admin")
        return isAdmin(state.session) ? <AdminRoute session={state.session} part={at.part} id={at.id} /> : <RefusedPage />;
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
