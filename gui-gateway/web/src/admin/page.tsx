// The frame of the administration: its parts beside it (above it on a phone), one of them shown.
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { paths } from "../lib/router";
import type { Session } from "../lib/session";
import { useStore } from "../lib/store";
import { Account, Sections } from "../ui/header";
import { Link } from "../ui/link";
import { Mark } from "../ui/umbel";
import { LostPage } from "../pages/lost";
import { AclPage } from "./acl";
import { Acls } from "./acls";
import { Audit } from "./audit";
import { Caches } from "./caches";
import { Classes } from "./classes";
import { Connections } from "./connections";
import { Documents } from "./documents";
import { GroupPage } from "./group";
import { Jobs } from "./jobs";
import { Loggers } from "./loggers";
import { Overview } from "./overview";
import { Groups, Users } from "./principals";
import { Reservations } from "./reservations";
import { Sessions } from "./sessions";
import { unanswered } from "./use-polled";
import { UserPage } from "./user";

const PARTS: { name: string; text: string; page: ComponentType; one?: ComponentType<{ id: string }> }[] = [
    { name: "", text: "Overview", page: Overview },
    { name: "documents", text: "Open documents", page: Documents },
    { name: "connections", text: "Connections", page: Connections },
    { name: "reservations", text: "Reservations", page: Reservations },
    { name: "sessions", text: "Sessions", page: Sessions },
    { name: "jobs", text: "Jobs", page: Jobs },
    { name: "users", text: "Users", page: Users, one: UserPage },
    { name: "groups", text: "Groups", page: Groups, one: GroupPage },
    { name: "classes", text: "Classes", page: Classes },
    { name: "acls", text: "ACLs", page: Acls, one: AclPage },
    { name: "caches", text: "Caches", page: Caches },
    { name: "loggers", text: "Log levels", page: Loggers },
    { name: "audit", text: "Audit trail", page: Audit },
];

/** At the place of the app's own line, which goes before it. */
function OldFigures() {
    return (
        <div role="status" aria-live="polite">
            {useStore(unanswered) && (
                <p class="banner old" data-testid="admin-old">
                    <span class="pulse" aria-hidden="true" />
                    <span>No core answers.<span class="wide-only"> What is shown is old; the page continues by itself.</span></span>
                </p>
            )}
        </div>
    );
}

export function AdministrationPage({ session, part, id }: { session: Session; part: string; id: string | null }) {
    const chosen = PARTS.find((p) => p.name === part && (id === null || p.one));
    useEffect(() => {
        document.title = `${chosen?.text ?? "Administration"} – Umbel`;
        document.querySelector(".admin-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
        if (document.activeElement === document.body)
            document.getElementById("content")?.focus({ preventScroll: true });
    }, [part, id]);

    if (!chosen)
        return <LostPage />;
    return (
        <div class="page">
            <header class="top">
                <Link class="wordmark" href={paths.list}><Mark /> Umbel</Link>
                <Sections at="admin" />
                <Account session={session} />
            </header>
            <OldFigures />
            <div class="admin">
                <nav class="admin-nav" aria-label="Administration">
                    {PARTS.map((p) => (
                        <Link key={p.name} href={paths.admin(p.name)} data-testid={`admin-${p.name || "overview"}`} aria-current={p === chosen ? "page" : undefined}>
                            {p.text}
                        </Link>
                    ))}
                </nav>
                <main id="content" class="admin-main" tabIndex={-1}>
                    {id !== null && chosen.one ? <chosen.one key={id} id={id} /> : <chosen.page key={part} />}
                </main>
            </div>
        </div>
    );
}
