// What every signed-in page carries at the top right: theme, shortcuts, who is signed in, the way out.
import { confirmDialog, infoDialog } from "./dialog";
import { isAdmin } from "../lib/admin";
import { dirtyDocument } from "../lib/dirty";
import { initialsOf } from "../lib/people";
import { paths } from "../lib/router";
import { type Session, session, signOut } from "../lib/session";
import { useStore } from "../lib/store";
import { theme, toggleTheme } from "../lib/theme";
import { IconButton } from "./button";
import { Link } from "./link";
import { Menu } from "./menu";
import { changeOwnPassword } from "./password";
import { shortcutTable } from "./shortcuts";
import { notifyError } from "./toast";

export function ThemeToggle() {
    const dark = useStore(theme) === "dark";
    return (
        <IconButton
            icon={dark ? "sun" : "moon"}
            label={dark ? "Light theme" : "Dark theme"}
            data-testid="theme-toggle"
            data-theme={dark ? "dark" : "light"}
            onClick={toggleTheme}
        />
    );
}

async function leave(): Promise<void> {
    const sure = !dirtyDocument() || await confirmDialog({
        title: "Sign out with unsaved changes?",
        body: "Some changes have not reached Umbel yet. They stay in this browser until you sign in again.",
        confirm: "Sign out",
        danger: true,
    });
    if (sure)
        await signOut().catch(() => notifyError("Could not sign out: Umbel does not answer. Try again in a moment."));
}

const SECTIONS = [
    { name: "documents", text: "Documents", href: paths.list },
    { name: "library", text: "Library", href: paths.library },
    { name: "admin", text: "Administration", href: paths.admin(), adminsOnly: true },
] as const;

/** The parts of the app. */
export function Sections({ at }: { at: (typeof SECTIONS)[number]["name"] }) {
    const state = useStore(session);
    const admin = state.is === "in" && isAdmin(state.session);
    return (
        <nav class="sections" aria-label="Parts">
            {SECTIONS.filter((section) => admin || !("adminsOnly" in section)).map((section) => (
                <Link
                    key={section.name}
                    href={section.href}
                    data-testid={`section-${section.name}`}
                    aria-current={section.name === at ? "page" : undefined}
                >
                    {section.text}
                </Link>
            ))}
        </nav>
    );
}

function Me({ session }: { session: Session }) {
    const title = `Signed in as ${session.displayName}`;
    const who = (
        <>
            <span class="avatar" aria-hidden="true">{initialsOf(session.displayName)}</span>
            <span class="me-name">{session.displayName}</span>
        </>
    );
    if (!session.passwordChange)
        return <span class="me" title={title}>{who}</span>;
    const change = { text: "Change password", testid: "password-change", onClick: () => void changeOwnPassword(session.user) };
    return <Menu testid="me" look="me" title={title} label={who} items={[]} action={change} />;
}

export function Account({ session }: { session: Session }) {
    return (
        <div class="account">
            <IconButton
                icon="keys"
                label="Keyboard shortcuts"
                class="wide-only"
                onClick={() => void infoDialog({ title: "Keyboard shortcuts", body: shortcutTable() })}
            />
            <ThemeToggle />
            <Me session={session} />
            <IconButton icon="leave" label="Sign out" data-testid="logout" onClick={() => void leave()} />
        </div>
    );
}
