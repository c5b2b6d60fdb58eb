// What the top bar says about saving, the connection, and who is here.
import { initialsOf } from "../lib/people";
import { Icon, type IconName } from "../ui/icons";
import type { CollabState, Conn, Person, Save } from "./collab";

const FACES = 4;
const FACES_ON_PHONE = 2;
const phone = matchMedia("(max-width: 460px)");

const SAVE: Record<Save, { icon: IconName; short: string; long: string }> = {
    saved: { icon: "check", short: "Saved", long: "Every change is stored" },
    saving: { icon: "cloud", short: "Saving…", long: "Changes are on their way" },
    unsaved: { icon: "cloud", short: "Not saved yet", long: "Not saved yet — changes are kept in this browser and saved as soon as it can be done" },
};

const CONN: Record<Conn, { label: string; long: string }> = {
    connected: { label: "Connected", long: "Connected" },
    connecting: { label: "Reconnecting…", long: "The connection comes back by itself" },
    offline: { label: "Offline", long: "No connection. Go on writing: changes are sent when it is back" },
};

export function SaveState({ state, titleBusy }: { state: CollabState; titleBusy: boolean }) {
    const opening = !state.opened;
    const save: Save = opening || (state.save === "saved" && titleBusy) ? "saving" : state.save;
    const { icon, short, long } = SAVE[save];
    return (
        <span class="save-state" data-testid="save-state" data-state={save} title={long}>
            <Icon name={icon} />
            {opening ? <span>Opening…</span> : (
                <span>
                    {short}
                    {save === "unsaved" && <span class="wide-only"> — changes are kept in this browser</span>}
                </span>
            )}
        </span>
    );
}

export function ConnState({ state }: { state: CollabState }) {
    const { label, long } = CONN[state.conn];
    const text = state.conn === "connecting" && !state.opened ? "Connecting…" : label;
    return (
        <span class="conn-state" data-testid="conn-state" data-state={state.conn} role="status" title={long}>
            <span class="conn-dot" aria-hidden="true" />
            <span class="conn-text">{text}</span>
        </span>
    );
}

const called = (person: Person) =>
    `${person.name}${person.me ? " (you)" : ""}${person.windows > 1 ? `, ${person.windows} windows` : ""}`;

export function Presence({ people }: { people: Person[] }) {
    const windows = people.reduce((sum, person) => sum + person.windows, 0);
    const room = phone.matches ? FACES_ON_PHONE : FACES;
    const shown = people.length > room ? people.slice(0, room - 1) : people;
    const rest = people.slice(shown.length);
    const colour = (person: Person) => (element: HTMLElement | null) => element?.style.setProperty("--person", person.colour);
    return (
        <ul
            class="presence"
            data-testid="presence"
            data-count={people.length}
            data-windows={windows}
            aria-label={`Here now: ${people.map(called).join("; ") || "nobody"}`}
        >
            {shown.map((person) => (
                <li key={person.id} class="avatar" ref={colour(person)} title={called(person)}>
                    <span aria-hidden="true">{initialsOf(person.name)}</span>
                    {person.windows > 1 && <span class="avatar-windows" aria-hidden="true">{person.windows}</span>}
                </li>
            ))}
            {rest.length > 0 && <li class="avatar avatar-rest" title={rest.map(called).join("\n")}>+{rest.length}</li>}
        </ul>
    );
}
