// What every page of the library has around it.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { paths } from "../lib/router";
import type { Session } from "../lib/session";
import { Account, Sections } from "../ui/header";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { Mark } from "../ui/umbel";

export function Frame({ session, title, problem, children }: {
    session: Session;
    title: string;
    problem?: string;
    children: ComponentChildren;
}) {
    useEffect(() => {
        document.title = `${title || "Library"} – Umbel`;
    }, [title]);
    useEffect(() => {
        if (document.activeElement === document.body)
            document.getElementById("content")?.focus({ preventScroll: true });
    }, []);
    return (
        <div class="page">
            <header class="top">
                <Link class="wordmark" href={paths.list}><Mark /> Umbel</Link>
                <Sections at="library" />
                <Account session={session} />
            </header>
            <main id="content" class="library" tabIndex={-1}>
                {problem && <p class="problem" role="alert" data-testid="library-problem"><Icon name="warn" /> {problem}</p>}
                {children}
            </main>
        </div>
    );
}
